#include "failure.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct png_writer {
    png_structp png;
    png_infop info;
    uint8_t *bytes;
    size_t count;
    size_t capacity;
    codecs_error *error;
    jmp_buf failed;
} png_writer;

static void on_error(png_structp png, png_const_charp message) {
    png_writer *writer = png_get_error_ptr(png);
    codecs_fail(writer->error, CODECS_CORRUPT, message);
    longjmp(writer->failed, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void append(png_structp png, png_bytep bytes, size_t count) {
    png_writer *writer = png_get_io_ptr(png);
    if (count > writer->capacity - writer->count) {
        size_t capacity = writer->capacity * 2 + count + 4096;
        uint8_t *larger = realloc(writer->bytes, capacity);
        if (larger == NULL) {
            codecs_fail(writer->error, CODECS_OUT_OF_MEMORY, "");
            png_error(png, "out of memory");
        }
        writer->bytes = larger;
        writer->capacity = capacity;
    }
    memcpy(writer->bytes + writer->count, bytes, count);
    writer->count += count;
}

static void flush(png_structp png) {
    (void)png;
}

static int encode(png_writer *writer, const uint8_t *rows, uint32_t width, uint32_t height, int channels) {
    static const int colour_types[] = {
        PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    if (setjmp(writer->failed)) {
        return 0;
    }
    writer->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer, on_error, on_warning);
    if (writer->png != NULL) {
        writer->info = png_create_info_struct(writer->png);
    }
    if (writer->info == NULL) {
        codecs_fail(writer->error, CODECS_OUT_OF_MEMORY, "");
        return 0;
    }
    png_set_user_limits(writer->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_write_fn(writer->png, writer, append, flush);
    png_set_IHDR(
        writer->png, writer->info, width, height, 8, colour_types[channels - 1], PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(writer->png, writer->info);
    for (size_t row = 0; row < height; row++) {
        png_write_row(writer->png, rows + row * (size_t)width * (size_t)channels);
    }
    png_write_end(writer->png, writer->info);
    return 1;
}

int codecs_write_png(
    const uint8_t *rows, uint32_t width, uint32_t height, int channels, uint8_t **encoded, size_t *count,
    codecs_error *error) {
    png_writer writer;
    memset(&writer, 0, sizeof writer);
    writer.error = error;
    int done = encode(&writer, rows, width, height, channels);
    if (writer.png != NULL) {
        png_destroy_write_struct(&writer.png, &writer.info);
    }
    if (!done) {
        free(writer.bytes);
        return 0;
    }
    *encoded = writer.bytes;
    *count = writer.count;
    return 1;
}
