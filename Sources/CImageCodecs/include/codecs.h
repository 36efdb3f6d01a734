#ifndef CODECS_H
#define CODECS_H

/* PNG and JPEG behind plain calls: bytes in memory on one side, interleaved 8-bit rows on the other.
   Failure is a returned status and a message; no jump leaves this folder, and nothing is printed. */

#include <stddef.h>
#include <stdint.h>

typedef enum codecs_status {
    CODECS_OK = 0,
    /* The data end before the image does. */
    CODECS_TRUNCATED,
    /* The data contradict the format. */
    CODECS_CORRUPT,
    /* The data are sound, and of a kind that this decoder does not read. */
    CODECS_UNSUPPORTED,
    CODECS_OUT_OF_MEMORY
} codecs_status;

typedef struct codecs_error {
    codecs_status status;
    /* A phrase without capital or full stop; empty where the status says everything. */
    char message[160];
} codecs_error;

typedef struct codecs_info {
    uint32_t width;
    uint32_t height;
    /* 1 where the file holds brightness only. */
    int is_grey;
    /* 1 where the file says how opaque each pixel is, in a channel or in a table. */
    int has_alpha;
} codecs_info;

typedef struct codecs_png_reader codecs_png_reader;
typedef struct codecs_jpeg_reader codecs_jpeg_reader;

/* Reads as far as the image's size. The bytes must stay valid until the reader is closed. NULL on failure. */
codecs_png_reader *codecs_open_png(const uint8_t *bytes, size_t count, codecs_info *info, codecs_error *error);
/* Decodes into rows of width * channels bytes without padding. Colour files: 3 or 4 channels; grey ones: any of 1 to 4. */
int codecs_read_png(codecs_png_reader *reader, int channels, uint8_t *rows, codecs_error *error);
void codecs_close_png(codecs_png_reader *reader);

codecs_jpeg_reader *codecs_open_jpeg(const uint8_t *bytes, size_t count, codecs_info *info, codecs_error *error);

/* Once, before the rows: 3 channels, or 1 where the file is grey. Rows and columns are decoded at so many eighths of their
   number, rounded up: 8 for all, or 4, 2, 1; `decoded` gets what that makes. More scans than `scan_limit` are an error. */
int codecs_start_jpeg(
    codecs_jpeg_reader *reader, int channels, int eighths, int scan_limit, codecs_info *decoded, codecs_error *error);
/* After the start, before the first row: rows get `*count` columns from `*first` on, and what lies to the left of them in
   one block; both are set to what that makes. Columns next to an edge that is not the image's may come out otherwise. */
int codecs_crop_jpeg(codecs_jpeg_reader *reader, uint32_t *first, uint32_t *count, codecs_error *error);
/* The next rows, from the top down, of width * channels bytes without padding; no more than there are. */
int codecs_read_jpeg_rows(codecs_jpeg_reader *reader, size_t count, uint8_t *rows, codecs_error *error);
/* Passes over rows at a part of the cost. Rows must be left behind them. */
int codecs_skip_jpeg_rows(codecs_jpeg_reader *reader, size_t count, codecs_error *error);
/* Passes over what is left, so that damage there is found, too. `row` has room for one row. */
int codecs_finish_jpeg(codecs_jpeg_reader *reader, uint8_t *row, codecs_error *error);
void codecs_close_jpeg(codecs_jpeg_reader *reader);

/* Encoding: *encoded is allocated and belongs to the caller, who frees it with codecs_free. Channels: 1 grey,
   2 grey and alpha, 3 RGB, 4 RGBA; JPEG takes 1 and 3. */
int codecs_write_png(
    const uint8_t *rows, uint32_t width, uint32_t height, int channels, uint8_t **encoded, size_t *count,
    codecs_error *error);
int codecs_write_jpeg(
    const uint8_t *rows, uint32_t width, uint32_t height, int channels, int quality, uint8_t **encoded, size_t *count,
    codecs_error *error);
void codecs_free(uint8_t *encoded);

/* The checksum that PNG puts behind each chunk. */
uint32_t codecs_crc32(const uint8_t *bytes, size_t count);

/* Unpacks a zlib stream into `output`, which has room for `limit` bytes, and returns how many it became; limit + 1
   where there is more. Without an output it only counts, in a few kilobytes of memory. A stream that is damaged
   counts as far as it could be read. */
size_t codecs_unpack(const uint8_t *bytes, size_t count, uint8_t *output, size_t limit);

/* Unpacks a raw deflate stream, as zip archives hold it, that gives exactly `count` bytes. Returns 1 when it did, 0 when
   the stream is damaged, shorter or longer. */
int codecs_inflate(const uint8_t *packed, size_t packed_count, uint8_t *bytes, size_t count);

/* Continues a CRC-32 (0 to begin with) over more bytes. */
uint32_t codecs_crc32_update(uint32_t crc, const uint8_t *bytes, size_t count);

/* For the process: some tens of megabytes that were freed stay at hand for the next picture. Else glibc gives a picture's
   memory back to the system as soon as it lies at the end, and gets it again, page by page, for the next. */
void codecs_keep_freed_memory(void);

#endif
