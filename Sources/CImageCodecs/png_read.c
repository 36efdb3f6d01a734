#include "failure.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct codecs_png_reader {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t count;
    size_t position;
    codecs_info image;
    codecs_error *error;
    jmp_buf failed;
};

static void on_error(png_structp png, png_const_charp message) {
    codecs_png_reader *reader = png_get_error_ptr(png);
    codecs_fail(reader->error, CODECS_CORRUPT, message);
    longjmp(reader->failed, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void read_bytes(png_structp png, png_bytep target, size_t wanted) {
    codecs_png_reader *reader = png_get_io_ptr(png);
    if (wanted > reader->count - reader->position) {
        codecs_fail(reader->error, CODECS_TRUNCATED, "");
        png_error(png, "truncated");
    }
    memcpy(target, reader->bytes + reader->position, wanted);
    reader->position += wanted;
}

/* Chunks that do not affect the pixels are skipped, so that none of them takes memory. The caller has verified every
   checksum, so libpng need not. */
static void configure(codecs_png_reader *reader) {
    png_structp png = reader->png;
    png_set_read_fn(png, reader, read_bytes);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(png, 1 << 20);
    png_set_chunk_cache_max(png, 64);
}

codecs_png_reader *codecs_open_png(const uint8_t *bytes, size_t count, codecs_info *info, codecs_error *error) {
    codecs_png_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        codecs_fail(error, CODECS_OUT_OF_MEMORY, "");
        return NULL;
    }
    reader->bytes = bytes;
    reader->count = count;
    reader->error = error;
    if (setjmp(reader->failed)) {
        codecs_close_png(reader);
        return NULL;
    }
    reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, on_error, on_warning);
    if (reader->png != NULL) {
        reader->info = png_create_info_struct(reader->png);
    }
    if (reader->info == NULL) {
        codecs_fail(error, CODECS_OUT_OF_MEMORY, "");
        codecs_close_png(reader);
        return NULL;
    }
    configure(reader);
    png_read_info(reader->png, reader->info);
    int colour = png_get_color_type(reader->png, reader->info);
    reader->image.width = png_get_image_width(reader->png, reader->info);
    reader->image.height = png_get_image_height(reader->png, reader->info);
    reader->image.is_grey = (colour & PNG_COLOR_MASK_COLOR) == 0;
    reader->image.has_alpha =
        (colour & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(reader->png, reader->info, PNG_INFO_tRNS) != 0;
    *info = reader->image;
    return reader;
}

/* Palette entries missing from the file are black, as in image viewers. */
static void choose_layout(codecs_png_reader *reader, int channels) {
    png_structp png = reader->png;
    int wants_alpha = channels == 2 || channels == 4;
    png_set_expand(png);
    png_set_strip_16(png);
    if (!wants_alpha) {
        png_set_strip_alpha(png);
    } else if (!reader->image.has_alpha) {
        png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
    }
    if (reader->image.is_grey && channels >= 3) {
        png_set_gray_to_rgb(png);
    }
}

int codecs_read_png(codecs_png_reader *reader, int channels, uint8_t *rows, size_t *done, codecs_error *error) {
    reader->error = error;
    *done = 0;
    if (setjmp(reader->failed)) {
        return 0;
    }
    choose_layout(reader, channels);
    int passes = png_set_interlace_handling(reader->png);
    png_read_update_info(reader->png, reader->info);
    size_t stride = (size_t)reader->image.width * (size_t)channels;
    if (png_get_rowbytes(reader->png, reader->info) != stride) {
        png_error(reader->png, "its rows have an unexpected layout");
    }
    for (int pass = 0; pass < passes; pass++) {
        for (size_t row = 0; row < reader->image.height; row++) {
            png_read_row(reader->png, rows + row * stride, NULL);
            ++*done;
        }
    }
    png_read_end(reader->png, NULL);
    return 1;
}

void codecs_close_png(codecs_png_reader *reader) {
    if (reader == NULL) {
        return;
    }
    if (reader->png != NULL) {
        png_destroy_read_struct(&reader->png, &reader->info, NULL);
    }
    free(reader);
}
