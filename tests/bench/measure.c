/* measure FILE COMMAND [ARGUMENT]... - runs the command and writes what it took to FILE, as
 * "CPU-SECONDS PEAK-KIB": processor time of user and system, and the largest resident set. Ends as
 * the command did. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status = 0;
    struct rusage used;
    if (waitpid(child, &status, 0) != child || getrusage(RUSAGE_CHILDREN, &used) != 0) return 1;
    FILE *file = fopen(argv[1], "w");
    if (file == NULL) return 1;
    fprintf(file, "%.2f %ld\n", seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss);
    if (fclose(file) != 0) return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
