#ifndef CODECS_H
#define CODECS_H

/* PNG and JPEG codecs: bytes in memory on one side, interleaved 8-bit rows on the other. Errors are returned as a status
   and a message; no longjmp leaves this folder, and nothing is printed. */

#include <stddef.h>
#include <stdint.h>

typedef enum codecs_status {
    CODECS_OK = 0,
    /* The data end before the image does. */
    CODECS_TRUNCATED,
    /* The data contradict the format. */
    CODECS_CORRUPT,
    /* The data are valid, but of an unsupported kind. */
    CODECS_UNSUPPORTED,
    CODECS_OUT_OF_MEMORY
} codecs_status;

typedef struct codecs_error {
    codecs_status status;
    /* A clause; empty if the status is sufficient. */
    char message[160];
} codecs_error;

typedef struct codecs_info {
    uint32_t width;
    uint32_t height;
    /* 1 if the file is greyscale. */
    int is_grey;
    /* 1 if the file has transparency, in a channel or in a table. */
    int has_alpha;
} codecs_info;

typedef struct codecs_png_reader codecs_png_reader;
typedef struct codecs_jpeg_reader codecs_jpeg_reader;

/* Reads the header. The bytes must stay valid until the reader is closed. NULL on failure. */
codecs_png_reader *codecs_open_png(const uint8_t *bytes, size_t count, codecs_info *info, codecs_error *error);
/* Decodes into rows of width * channels bytes without padding. Channels: 3 or 4 for colour files, 1 to 4 for grey ones.
   On failure, `done` is the number of rows that were decoded before it; of an interlaced image, in all passes. */
int codecs_read_png(codecs_png_reader *reader, int channels, uint8_t *rows, size_t *done, codecs_error *error);
void codecs_close_png(codecs_png_reader *reader);

/* Where `lenient`, pixels that damage hides are invented, as libjpeg does by itself; see codecs_damage_of_jpeg. */
codecs_jpeg_reader *codecs_open_jpeg(
    const uint8_t *bytes, size_t count, int lenient, codecs_info *info, codecs_error *error);
/* Whether a lenient reader has met damage so far, which is then stored in `damage`. */
int codecs_damage_of_jpeg(const codecs_jpeg_reader *reader, codecs_error *damage);

/* Call once, before reading rows. Channels: 3, or 1 if the file is grey. Decodes at `eighths` (8, 4, 2 or 1) eighths of the
   size, rounded up, and stores it in `decoded`. More scans than `scan_limit` are an error. */
int codecs_start_jpeg(
    codecs_jpeg_reader *reader, int channels, int eighths, int scan_limit, codecs_info *decoded, codecs_error *error);
/* After the start, before the first row: limits rows to `*count` columns from `*first` on, extended to the left to the
   boundary of a block, or in both directions to whole rows; both are updated. Columns next to an edge inside the image may
   differ. */
int codecs_crop_jpeg(codecs_jpeg_reader *reader, uint32_t *first, uint32_t *count, codecs_error *error);
/* Reads the next rows, from the top down, of width * channels bytes without padding; no more than there are. */
int codecs_read_jpeg_rows(codecs_jpeg_reader *reader, size_t count, uint8_t *rows, codecs_error *error);
/* Skips rows at lower cost. More rows must follow. */
int codecs_skip_jpeg_rows(codecs_jpeg_reader *reader, size_t count, codecs_error *error);
/* Decodes the rest of the file to find damage. `row` is a buffer of one row. */
int codecs_finish_jpeg(codecs_jpeg_reader *reader, uint8_t *row, codecs_error *error);
void codecs_close_jpeg(codecs_jpeg_reader *reader);

/* Encoding: *encoded is allocated, and freed by the caller with codecs_free. Channels: 1 grey, 2 grey and alpha, 3 RGB,
   4 RGBA; JPEG takes 1 and 3. */
int codecs_write_png(
    const uint8_t *rows, uint32_t width, uint32_t height, int channels, uint8_t **encoded, size_t *count,
    codecs_error *error);
int codecs_write_jpeg(
    const uint8_t *rows, uint32_t width, uint32_t height, int channels, int quality, uint8_t **encoded, size_t *count,
    codecs_error *error);
void codecs_free(uint8_t *encoded);

/* The checksum of a PNG chunk. */
uint32_t codecs_crc32(const uint8_t *bytes, size_t count);

/* Inflates a zlib stream into `output`, a buffer of `limit` bytes, and returns the inflated size, or limit + 1 if it is
   larger. Without an output it only counts, in a few kilobytes of memory. A damaged stream counts up to the damage. */
size_t codecs_unpack(const uint8_t *bytes, size_t count, uint8_t *output, size_t limit);

/* Inflates a raw deflate stream, as in zip archives, to exactly `count` bytes. Returns 1 on success, 0 if the stream is
   damaged, shorter or longer. */
int codecs_inflate(const uint8_t *packed, size_t packed_count, uint8_t *bytes, size_t count);

/* Continues a CRC-32, initially 0, over more bytes. */
uint32_t codecs_crc32_update(uint32_t crc, const uint8_t *bytes, size_t count);

/* Process-wide: keeps some tens of megabytes of freed memory for the next image. By default, glibc returns an image's memory
   to the system when it is at the top of the heap, and faults it in again, page by page, for the next one. */
void codecs_keep_freed_memory(void);

#endif
