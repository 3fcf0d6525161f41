/* row_undef.h - takes back the macros of one reading of row.def; no include guard on purpose. */
#undef ROW_BEGIN
#undef KEY_TEXT
#undef KEY_INT
#undef TEXT
#undef INT
#undef BLOB
#undef LOCATED
#undef ROW_END
