/* row_blank.h - a reading of row.def that cares for ROW_BEGIN only; no include guard on purpose. */
#define KEY_TEXT(column)
#define KEY_INT(column)
#define TEXT(column)
#define INT(column)
#define BLOB(column)
#define LOCATED
#define ROW_END
