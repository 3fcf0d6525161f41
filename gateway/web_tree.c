#include "gateway/web_tree.h"

#include "base/arena.h"
#include "base/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ETAG_BYTES = 16, HASH_LETTERS = 8 };

struct web_tree {
    unsigned holds, count, file_count;
    struct arena memory;
    struct web_file files[3 * WEB_FILES_MAX]; /* a page also has two names of its folder */
};

/* --- what a name says --- */

static const char *type_of(const char *path)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".txt", "text/plain; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".wasm", "application/wasm"},
        {".webmanifest", "application/manifest+json"},
        {".pmtiles", "application/vnd.pmtiles"},
    };
    const char *end = strrchr(path, '.');
    for (size_t i = 0; end != NULL && i < sizeof types / sizeof *types; i++)
        if (strcmp(end, types[i].end) == 0) return types[i].type;
    return "application/octet-stream";
}

/* As esbuild writes it: -HASH before the last dot. */
static bool has_hash(const char *path)
{
    const char *dash = strrchr(path, '-');
    size_t size = dash == NULL ? 0 : strspn(dash + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    return size == HASH_LETTERS && dash[1 + size] == '.' && strchr(dash, '/') == NULL;
}

static bool is_fit(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    return name[0] != '.' && name[strspn(name, letters)] == '\0';
}

static bool ends_in(const char *text, const char *end)
{
    size_t size = strlen(text), tail = strlen(end);
    return size >= tail && strcmp(text + size - tail, end) == 0;
}

/* --- reading --- */

static enum err read_bytes(struct web_tree *tree, int fd, const char *path, struct web_body *out,
                           struct problem *problem)
{
    struct stat stat;
    uint8_t hash[ETAG_BYTES];
    char hex[2 * ETAG_BYTES + 1];
    if (fstat(fd, &stat) != 0) return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    if (stat.st_size > WEB_BYTES_MAX)
        return problem_set(problem, ERR_TOO_LARGE, path, "all files together have at most %d bytes",
                           WEB_BYTES_MAX);
    size_t size = (size_t)stat.st_size, got = 0;
    uint8_t *bytes = arena_take(&tree->memory, size + 1);
    if (bytes == NULL)
        return problem_set(problem, ERR_TOO_LARGE, path, "all files together have at most %d bytes",
                           WEB_BYTES_MAX);
    for (ssize_t more; got < size && (more = read(fd, bytes + got, size - got)) > 0;)
        got += (size_t)more;
    if (got < size) return problem_set(problem, ERR_IO, path, "cannot be read whole");
    crypto_generichash(hash, sizeof hash, bytes, size, NULL, 0);
    sodium_bin2hex(hex, sizeof hex, hash, ETAG_BYTES);
    *out = (struct web_body){.bytes = bytes, .size = size};
    snprintf(out->etag, sizeof out->etag, "\"%s\"", hex);
    return ERR_OK;
}

static struct web_file *add(struct web_tree *tree, const char *path)
{
    char *own = arena_text(&tree->memory, path);
    if (own == NULL) return NULL;
    tree->files[tree->count] = (struct web_file){.path = own};
    return &tree->files[tree->count++];
}

static enum err add_file(struct web_tree *tree, int folder, const char *name, const char *path,
                         struct problem *problem)
{
    if (tree->file_count++ == WEB_FILES_MAX)
        return problem_set(problem, ERR_TOO_LARGE, path, "at most %d files", WEB_FILES_MAX);
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    struct web_file *file = add(tree, path);
    enum err err = file != NULL ? read_bytes(tree, fd, path, &file->plain, problem)
                                : problem_set(problem, ERR_TOO_LARGE, path, "too much");
    close(fd);
    if (err != ERR_OK) return err;
    file->type = type_of(path);
    file->lasting = has_hash(path);
    return ERR_OK;
}

static enum err walk(struct web_tree *tree, int parent, const char *name, const char *path,
                     unsigned depth, struct problem *problem);

static enum err take_entry(struct web_tree *tree, int folder, const char *name, const char *path,
                           unsigned depth, struct problem *problem)
{
    struct stat stat;
    if (!is_fit(name)) return ERR_OK;
    if (strlen(path) >= WEB_PATH_MAX || depth > WEB_DEPTH_MAX)
        return problem_set(problem, ERR_TOO_LARGE, path, "lies too deep");
    if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        return problem_set(problem, ERR_IO, path, "%s", strerror(errno));
    if (S_ISDIR(stat.st_mode)) return walk(tree, folder, name, path, depth, problem);
    if (S_ISREG(stat.st_mode)) return add_file(tree, folder, name, path, problem);
    return ERR_OK;
}

/* Everything below `name`, whose path is `path` ("" for the tree itself). */
static enum err walk(struct web_tree *tree, int parent, const char *name, const char *path,
                     unsigned depth, struct problem *problem)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    enum err err = ERR_OK;
    if (folder == NULL) {
        err = problem_set(problem, ERR_IO, name, "%s", strerror(errno));
        if (fd >= 0) close(fd);
        return err;
    }
    for (struct dirent *entry; err == ERR_OK && (entry = readdir(folder)) != NULL;) {
        char below[WEB_PATH_MAX + sizeof entry->d_name + 1];
        snprintf(below, sizeof below, "%.*s/%s", WEB_PATH_MAX, path, entry->d_name);
        err = take_entry(tree, fd, entry->d_name, below, depth + 1, problem);
    }
    closedir(folder);
    return err;
}

/* --- the table --- */

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct web_file *)a)->path, ((const struct web_file *)b)->path);
}

static struct web_file *find(struct web_file *files, unsigned count, const char *path)
{
    const struct web_file key = {.path = path};
    return bsearch(&key, files, count, sizeof *files, compare);
}

/* Each .gz goes to the file that it is made of, and out of the table. */
static void join_packed(struct web_tree *tree)
{
    unsigned kept = 0, count = tree->count;
    for (unsigned i = 0; i < count; i++) {
        char path[2 * WEB_PATH_MAX];
        if (!ends_in(tree->files[i].path, ".gz")) continue;
        snprintf(path, sizeof path, "%.*s", (int)strlen(tree->files[i].path) - 3,
                 tree->files[i].path);
        struct web_file *file = find(tree->files, count, path);
        if (file != NULL) file->packed = tree->files[i].plain;
    }
    for (unsigned i = 0; i < count; i++)
        if (!ends_in(tree->files[i].path, ".gz")) tree->files[kept++] = tree->files[i];
    tree->count = kept;
}

static enum err add_folders(struct web_tree *tree, struct problem *problem)
{
    static const char index[] = "index.html";
    for (unsigned i = 0, count = tree->count; i < count; i++) {
        const struct web_file page = tree->files[i];
        char path[2 * WEB_PATH_MAX];
        if (!ends_in(page.path, "/index.html")) continue;
        int size = (int)(strlen(page.path) - (sizeof index - 1));
        snprintf(path, sizeof path, "%.*s", size, page.path);
        struct web_file *folder = add(tree, path);
        if (folder == NULL) return problem_set(problem, ERR_TOO_LARGE, path, "too much");
        const char *name = folder->path;
        *folder = page;
        folder->path = name;
        if (size == 1) continue; /* the root has no name without its slash */
        path[size - 1] = '\0';
        struct web_file *bare = add(tree, path);
        if (bare == NULL) return problem_set(problem, ERR_TOO_LARGE, path, "too much");
        bare->moved_to = name;
    }
    return ERR_OK;
}

enum err web_tree_open(struct web_tree **out, const char *folder, struct problem *problem)
{
    struct web_tree *tree = calloc(1, sizeof *tree);
    CHECK(tree != NULL);
    tree->holds = 1;
    arena_open(&tree->memory, WEB_BYTES_MAX);
    enum err err = walk(tree, AT_FDCWD, folder, "", 0, problem);
    qsort(tree->files, tree->count, sizeof *tree->files, compare);
    if (err == ERR_OK) {
        join_packed(tree);
        err = add_folders(tree, problem);
        qsort(tree->files, tree->count, sizeof *tree->files, compare);
    }
    if (err == ERR_OK)
        *out = tree;
    else
        web_tree_leave(tree);
    return err;
}

const struct web_file *web_tree_find(const struct web_tree *tree, const char *path, size_t size)
{
    char key[WEB_PATH_MAX + 1];
    if (tree == NULL || size > WEB_PATH_MAX) return NULL;
    memcpy(key, path, size);
    key[size] = '\0';
    return find((struct web_file *)(uintptr_t)tree->files, tree->count, key);
}

unsigned web_tree_count(const struct web_tree *tree)
{
    return tree->file_count;
}

void web_tree_keep(struct web_tree *tree)
{
    tree->holds++;
}

void web_tree_leave(struct web_tree *tree)
{
    if (tree == NULL || --tree->holds > 0) return;
    arena_close(&tree->memory);
    free(tree);
}
