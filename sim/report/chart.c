#include "sim/report/chart.h"

#include "base/check.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { WIDTH = 720, HEIGHT = 270, ROW = 30, HUES = 8, LABEL_MAX = 22 };

/* The part of the picture that is data, and the values at its lower and upper edge. */
struct frame {
    double left, top, width, height;
    double low, high, step; /* step: between two ticks */
    int decimals;           /* of the ticks */
};

/* --- scales -------------------------------------------------------------------------- */

/* About five ticks, at 1, 2 or 5 times a power of ten. */
static void scale(struct frame *frame, double low, double high)
{
    if (!(high > low)) high = low + 1;
    double rough = (high - low) / 5, power = pow(10, floor(log10(rough)));
    double part = rough / power;
    frame->step = power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
    frame->low = floor(low / frame->step) * frame->step;
    frame->high = ceil(high / frame->step) * frame->step;
    frame->decimals = frame->step >= 1 ? 0 : (int)ceil(-log10(frame->step) - 1e-9);
}

static double share(const struct frame *frame, double value)
{
    return (value - frame->low) / (frame->high - frame->low);
}

static double y_of(const struct frame *frame, double value)
{
    return frame->top + frame->height * (1 - share(frame, value));
}

static double x_of(const struct frame *frame, double value)
{
    return frame->left + frame->width * share(frame, value);
}

struct extent {
    double least, most;
};

static struct extent extent_of(const struct sheet *sheet, size_t first, size_t end)
{
    struct extent extent = {INFINITY, -INFINITY};
    for (size_t r = 0; r < sheet->row_count; r++) {
        for (size_t c = first; c < end; c++) {
            double value = sheet_get(sheet, r, c);
            if (!isfinite(value)) continue;
            extent.least = fmin(extent.least, value);
            extent.most = fmax(extent.most, value);
        }
    }
    if (extent.least > extent.most) extent = (struct extent){0, 1};
    return extent;
}

static bool row_known(const struct sheet *sheet, size_t row, size_t columns)
{
    for (size_t c = 0; c < columns; c++)
        if (!isfinite(sheet_get(sheet, row, c))) return false;
    return true;
}

/* --- pieces -------------------------------------------------------------------------- */

static void begin(FILE *out, const struct sheet *sheet, int height)
{
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, height);
    html_text(out, sheet->title);
    fputs("\">\n", out);
}

static void text_at(FILE *out, double x, double y, const char *class_name, const char *text)
{
    char cut[LABEL_MAX * 4 + 4];
    size_t bytes = 0, letters = 0;
    for (; text[bytes] != '\0' && letters < LABEL_MAX && bytes < LABEL_MAX * 4; bytes++)
        letters += ((unsigned char)text[bytes + 1] & 0xC0) != 0x80;
    bool whole = text[bytes] == '\0';
    snprintf(cut, sizeof cut, "%.*s%s", (int)bytes, text, whole ? "" : "\xE2\x80\xA6");
    fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class_name, x, y);
    html_text(out, cut);
    fputs("</text>\n", out);
}

static void number_at(FILE *out, double x, double y, const char *class_name, double value,
                      int decimals)
{
    fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class_name, x, y);
    html_number(out, value, decimals);
    fputs("</text>\n", out);
}

static void line(FILE *out, const char *class_name, double x1, double y1, double x2, double y2)
{
    fprintf(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
            class_name, x1, y1, x2, y2);
}

/* What one points at says what it is. */
static void hint(FILE *out, const struct sheet *sheet, size_t row, size_t column)
{
    const struct sheet_column *it = &sheet->columns[column];
    fputs("<title>", out);
    html_text(out, sheet->labels[row]);
    fputs(", ", out);
    html_text(out, it->name);
    fputs(": ", out);
    html_number(out, sheet_get(sheet, row, column), it->decimals);
    fputs(" ", out);
    html_text(out, it->unit);
    fputs("</title>", out);
}

static void grid_up(FILE *out, const struct frame *frame)
{
    int count = (int)lround((frame->high - frame->low) / frame->step);
    for (int i = 0; i <= count; i++) {
        double value = frame->low + i * frame->step, y = y_of(frame, value);
        line(out, fabs(value) < frame->step / 2 ? "axis" : "grid", frame->left, y,
             frame->left + frame->width, y);
        number_at(out, frame->left - 8, y + 4, "tick end", value, frame->decimals);
    }
}

static void grid_across(FILE *out, const struct frame *frame)
{
    int count = (int)lround((frame->high - frame->low) / frame->step);
    for (int i = 0; i <= count; i++) {
        double value = frame->low + i * frame->step, x = x_of(frame, value);
        line(out, fabs(value) < frame->step / 2 ? "axis" : "grid", x, frame->top, x,
             frame->top + frame->height);
        number_at(out, x, frame->top + frame->height + 22, "tick middle", value, frame->decimals);
    }
}

/* As many of the rows' labels as there is room for, the first always. */
static void labels_below(FILE *out, const struct frame *frame, const struct sheet *sheet,
                         double first, double distance)
{
    size_t longest = 1;
    for (size_t r = 0; r < sheet->row_count; r++) {
        size_t length = strlen(sheet->labels[r]);
        if (length > longest) longest = length;
    }
    if (longest > LABEL_MAX) longest = LABEL_MAX;
    size_t every = (size_t)ceil(((double)longest * 9 + 12) / fmax(distance, 1e-9));
    for (size_t r = 0; r < sheet->row_count; r += every < 1 ? 1 : every)
        text_at(out, first + distance * (double)r, frame->top + frame->height + 22, "tick middle",
                sheet->labels[r]);
}

/* Where columns are shares, the last is what is left over: it draws no attention. */
static size_t hue_of(const struct sheet *sheet, size_t column, bool shares)
{
    bool rest = shares && column > 0 && column + 1 == sheet->column_count;
    return rest ? HUES - 1 : column % HUES;
}

static void legend(FILE *out, const struct sheet *sheet, bool shares)
{
    if (sheet->column_count < 2) return;
    fputs("<ul class=\"legend\">", out);
    for (size_t c = 0; c < sheet->column_count; c++) {
        fprintf(out, "<li><i class=\"h%zu\"></i>", hue_of(sheet, c, shares));
        html_text(out, sheet->columns[c].name);
        fputs("</li>", out);
    }
    fputs("</ul>\n", out);
}

static struct frame upright(void)
{
    return (struct frame){.left = 64, .top = 12, .width = WIDTH - 64 - 30, .height = HEIGHT - 46};
}

/* --- areas, lines, bars --------------------------------------------------------------- */

static double step_of(const struct frame *frame, const struct sheet *sheet)
{
    return sheet->row_count > 1 ? frame->width / (double)(sheet->row_count - 1) : frame->width;
}

static double stacked(const struct sheet *sheet, size_t row, size_t columns)
{
    double sum = 0;
    for (size_t c = 0; c < columns; c++) {
        double value = sheet_get(sheet, row, c);
        if (value > 0) sum += value;
    }
    return sum;
}

static void write_areas(FILE *out, const struct sheet *sheet)
{
    struct frame frame = upright();
    double most = 0, step = step_of(&frame, sheet);
    for (size_t r = 0; r < sheet->row_count; r++)
        most = fmax(most, stacked(sheet, r, sheet->column_count));
    scale(&frame, 0, most);
    legend(out, sheet, true);
    begin(out, sheet, HEIGHT);
    for (size_t c = 0; c < sheet->column_count; c++) {
        fprintf(out, "<path class=\"h%zu area\" d=\"M", hue_of(sheet, c, true));
        for (size_t r = 0; r < sheet->row_count; r++)
            fprintf(out, "%.1f %.1fL", frame.left + step * (double)r,
                    y_of(&frame, stacked(sheet, r, c + 1)));
        for (size_t r = sheet->row_count; r-- > 0;)
            fprintf(out, "%.1f %.1f%s", frame.left + step * (double)r,
                    y_of(&frame, stacked(sheet, r, c)), r > 0 ? "L" : "Z\">");
        fputs("<title>", out);
        html_text(out, sheet->columns[c].name);
        fputs("</title></path>\n", out);
    }
    grid_up(out, &frame);
    labels_below(out, &frame, sheet, frame.left, step);
    fputs("</svg>\n", out);
}

static void write_lines(FILE *out, const struct sheet *sheet)
{
    struct frame frame = upright();
    double step = step_of(&frame, sheet);
    struct extent extent = extent_of(sheet, 0, sheet->column_count);
    scale(&frame, fmin(0, extent.least), extent.most);
    legend(out, sheet, false);
    begin(out, sheet, HEIGHT);
    grid_up(out, &frame);
    for (size_t c = 0; c < sheet->column_count; c++) {
        bool drawing = false;
        fprintf(out, "<path class=\"h%zu line\" d=\"", c % HUES);
        for (size_t r = 0; r < sheet->row_count; r++) {
            double value = sheet_get(sheet, r, c);
            if (isfinite(value))
                fprintf(out, "%c%.1f %.1f", drawing ? 'L' : 'M', frame.left + step * (double)r,
                        y_of(&frame, value));
            drawing = isfinite(value);
        }
        fputs("\"/>\n", out);
    }
    labels_below(out, &frame, sheet, frame.left, step);
    fputs("</svg>\n", out);
}

static void write_bars(FILE *out, const struct sheet *sheet)
{
    struct frame frame = upright();
    struct extent extent = extent_of(sheet, 0, sheet->column_count);
    scale(&frame, fmin(0, extent.least), fmax(0, extent.most));
    legend(out, sheet, false);
    begin(out, sheet, HEIGHT);
    grid_up(out, &frame);
    double group = frame.width / (double)sheet->row_count;
    double width = group * 0.8 / (double)sheet->column_count;
    for (size_t r = 0; r < sheet->row_count; r++) {
        for (size_t c = 0; c < sheet->column_count; c++) {
            double value = sheet_get(sheet, r, c);
            if (!isfinite(value)) continue;
            double from = y_of(&frame, fmax(value, 0)), to = y_of(&frame, fmin(value, 0));
            double x = frame.left + group * ((double)r + 0.1) + width * (double)c;
            fprintf(out,
                    "<rect class=\"h%zu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">",
                    c % HUES, x, from, fmax(width - 1, 0.5), to - from);
            hint(out, sheet, r, c);
            fputs("</rect>\n", out);
        }
    }
    labels_below(out, &frame, sheet, frame.left + group / 2, group);
    fputs("</svg>\n", out);
}

/* --- heat ---------------------------------------------------------------------------- */

static void heat_cell(FILE *out, const struct sheet *sheet, size_t row, size_t column, double x,
                      double y, double width, double part)
{
    double value = sheet_get(sheet, row, column);
    if (!isfinite(value)) return;
    fprintf(out,
            "<rect class=\"heat\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" "
            "fill-opacity=\"%.3f\">",
            x, y, fmax(width - 2, 1), ROW - 2, 0.06 + 0.88 * part);
    hint(out, sheet, row, column);
    fputs("</rect>\n", out);
    if (width >= 34)
        number_at(out, x + width / 2 - 1, y + ROW / 2.0 + 4, part > 0.55 ? "cell dark" : "cell",
                  value, sheet->columns[column].decimals);
}

static void write_heat(FILE *out, const struct sheet *sheet)
{
    struct extent extent = extent_of(sheet, 0, sheet->column_count);
    double left = 150, width = (WIDTH - left - 8) / (double)sheet->column_count;
    bool flat = !(extent.most > extent.least);
    double reach = flat ? 1 : extent.most - extent.least;
    size_t every = (size_t)ceil(38 / width);
    begin(out, sheet, (int)(sheet->row_count + 1) * ROW + 8);
    for (size_t c = 0; c < sheet->column_count; c += every)
        text_at(out, left + width * ((double)c + 0.5), 18, "tick middle", sheet->columns[c].name);
    for (size_t r = 0; r < sheet->row_count; r++) {
        double y = ROW * (double)(r + 1);
        text_at(out, left - 10, y + ROW / 2.0 + 4, "tick end", sheet->labels[r]);
        for (size_t c = 0; c < sheet->column_count; c++)
            heat_cell(out, sheet, r, c, left + width * (double)c, y, width,
                      flat ? 0.5 : (sheet_get(sheet, r, c) - extent.least) / reach);
    }
    fputs("</svg>\n", out);
}

/* --- ranges and boxes ----------------------------------------------------------------- */

static struct frame lying(const struct sheet *sheet, size_t columns)
{
    struct frame frame = {.left = 240, .top = 8, .width = WIDTH - 240 - 24};
    struct extent extent = extent_of(sheet, 0, columns);
    double reach = extent.most - extent.least;
    bool near_zero = extent.least > 0 ? extent.least < reach * 3 : -extent.most < reach * 3;
    if (near_zero) extent = (struct extent){fmin(0, extent.least), fmax(0, extent.most)};
    frame.height = ROW * (double)sheet->row_count;
    scale(&frame, extent.least, extent.most);
    return frame;
}

static void write_ranges(FILE *out, const struct sheet *sheet)
{
    CHECK(sheet->column_count >= 3);
    struct frame frame = lying(sheet, 3);
    begin(out, sheet, (int)frame.height + 40);
    grid_across(out, &frame);
    for (size_t r = 0; r < sheet->row_count; r++) {
        double y = frame.top + ROW * ((double)r + 0.5);
        double value = sheet_get(sheet, r, 0), low = sheet_get(sheet, r, 1);
        double high = sheet_get(sheet, r, 2);
        text_at(out, frame.left - 10, y + 4, "tick end", sheet->labels[r]);
        if (isfinite(low) && isfinite(high))
            line(out, "whisker h0", x_of(&frame, low), y, x_of(&frame, high), y);
        if (!isfinite(value)) continue;
        fprintf(out, "<circle class=\"h0\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\">", x_of(&frame, value),
                y);
        hint(out, sheet, r, 0);
        fputs("</circle>\n", out);
    }
    fputs("</svg>\n", out);
}

static void write_boxes(FILE *out, const struct sheet *sheet)
{
    CHECK(sheet->column_count >= 5);
    struct frame frame = lying(sheet, 5);
    begin(out, sheet, (int)frame.height + 40);
    grid_across(out, &frame);
    for (size_t r = 0; r < sheet->row_count; r++) {
        double y = frame.top + ROW * ((double)r + 0.5), x[5];
        text_at(out, frame.left - 10, y + 4, "tick end", sheet->labels[r]);
        if (!row_known(sheet, r, 5)) continue;
        for (size_t c = 0; c < 5; c++)
            x[c] = x_of(&frame, sheet_get(sheet, r, c));
        line(out, "whisker h0", x[0], y, x[4], y);
        fprintf(out, "<rect class=\"h0\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"14\">", x[1],
                y - 7, fmax(x[3] - x[1], 1));
        hint(out, sheet, r, 2);
        fputs("</rect>\n", out);
        line(out, "median", x[2], y - 7, x[2], y + 7);
    }
    fputs("</svg>\n", out);
}

/* --- places -------------------------------------------------------------------------- */

static void write_places(FILE *out, const struct sheet *sheet)
{
    CHECK(sheet->column_count >= 3);
    struct extent x = extent_of(sheet, 0, 1), y = extent_of(sheet, 1, 2),
                  n = extent_of(sheet, 2, 3);
    double wide = fmax(x.most - x.least, 1e-9), high = fmax(y.most - y.least, 1e-9);
    double unit = fmin((WIDTH - 60) / wide, 420 / high);
    begin(out, sheet, (int)(high * unit) + 60);
    for (size_t r = 0; r < sheet->row_count; r++) {
        double count = sheet_get(sheet, r, 2);
        if (!row_known(sheet, r, 3) || count <= 0) continue;
        fprintf(out, "<circle class=\"h0 place\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\">",
                30 + (sheet_get(sheet, r, 0) - x.least) * unit,
                30 + (y.most - sheet_get(sheet, r, 1)) * unit, 2 + 16 * sqrt(count / n.most));
        hint(out, sheet, r, 2);
        fputs("</circle>\n", out);
    }
    fputs("</svg>\n", out);
}

void chart_write(FILE *out, const struct sheet *sheet, enum chart_kind kind)
{
    static void (*const writers[])(FILE *, const struct sheet *) = {
        [CHART_AREAS] = write_areas,   [CHART_LINES] = write_lines,   [CHART_BARS] = write_bars,
        [CHART_HEAT] = write_heat,     [CHART_RANGES] = write_ranges, [CHART_BOXES] = write_boxes,
        [CHART_PLACES] = write_places,
    };
    struct extent extent = extent_of(sheet, 0, sheet->column_count);
    bool zeros = kind == CHART_BARS && extent.least == 0 && extent.most == 0;
    if (sheet->row_count == 0 || zeros)
        fputs("<p class=\"none\">Nothing to show: nothing of the kind happened.</p>\n", out);
    else
        writers[kind](out, sheet);
}
