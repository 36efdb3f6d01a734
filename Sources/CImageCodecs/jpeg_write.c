#include "failure.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

typedef struct jpeg_writer {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes;
    unsigned long count;
    codecs_error *error;
    jmp_buf failed;
} jpeg_writer;

static void on_error(j_common_ptr jpeg) {
    jpeg_writer *writer = (jpeg_writer *)jpeg->client_data;
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    codecs_fail(writer->error, CODECS_CORRUPT, message);
    longjmp(writer->failed, 1);
}

static void print_nothing(j_common_ptr jpeg) {
    (void)jpeg;
}

static int encode(
    jpeg_writer *writer, const uint8_t *rows, uint32_t width, uint32_t height, int channels, int quality) {
    struct jpeg_compress_struct *jpeg = &writer->jpeg;
    if (setjmp(writer->failed)) {
        return 0;
    }
    jpeg->err = jpeg_std_error(&writer->errors);
    writer->errors.error_exit = on_error;
    writer->errors.output_message = print_nothing;
    jpeg->client_data = writer;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, &writer->bytes, &writer->count);
    jpeg->image_width = width;
    jpeg->image_height = height;
    jpeg->input_components = channels;
    jpeg->in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < height) {
        JSAMPROW row = (JSAMPROW)(rows + (size_t)jpeg->next_scanline * width * (size_t)channels);
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
    return 1;
}

int codecs_write_jpeg(
    const uint8_t *rows, uint32_t width, uint32_t height, int channels, int quality, uint8_t **encoded, size_t *count,
    codecs_error *error) {
    /* On the heap, since locals may be lost by a longjmp. */
    jpeg_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        codecs_fail(error, CODECS_OUT_OF_MEMORY, "");
        return 0;
    }
    writer->error = error;
    int done = encode(writer, rows, width, height, channels, quality);
    jpeg_destroy_compress(&writer->jpeg);
    if (done) {
        *encoded = writer->bytes;
        *count = writer->count;
    } else {
        free(writer->bytes);
    }
    free(writer);
    return done;
}
