#include "failure.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

struct codecs_jpeg_reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    codecs_info image;
    int scan_limit;
    int channels;
    /* A row of CMYK, to be converted to RGB. */
    uint8_t *inks;
    int lenient;
    /* Whether neither columns nor rows are left out; see needs_every_pixel. */
    int reads_all;
    uint8_t *skipped;
    /* What a lenient reader met first. */
    codecs_error damage;
    codecs_error *error;
    jmp_buf failed;
};

static codecs_jpeg_reader *reader_of(j_common_ptr jpeg) {
    return (codecs_jpeg_reader *)jpeg->client_data;
}

__attribute__((noreturn)) static void fail(codecs_jpeg_reader *reader, codecs_status status, const char *message) {
    codecs_fail(reader->error, status, message);
    longjmp(reader->failed, 1);
}

static codecs_status status_of(int code) {
    switch (code) {
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_ARITH_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
        return CODECS_UNSUPPORTED;
    case JERR_CANT_SUSPEND:
        return CODECS_TRUNCATED;
    case JERR_OUT_OF_MEMORY:
        return CODECS_OUT_OF_MEMORY;
    default:
        return CODECS_CORRUPT;
    }
}

/* Stores the current message in `error`. */
static void describe(j_common_ptr jpeg, codecs_error *error) {
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    /* The caller says as much. */
    static const char prefix[] = "Corrupt JPEG data: ";
    const char *reason = message;
    if (strncmp(message, prefix, sizeof prefix - 1) == 0) {
        reason += sizeof prefix - 1;
    }
    codecs_fail(error, status_of(jpeg->err->msg_code), reason);
}

__attribute__((noreturn)) static void on_error(j_common_ptr jpeg) {
    codecs_jpeg_reader *reader = reader_of(jpeg);
    describe(jpeg, reader->error);
    longjmp(reader->failed, 1);
}

static void on_damage(j_common_ptr jpeg) {
    codecs_jpeg_reader *reader = reader_of(jpeg);
    if (!reader->lenient) {
        on_error(jpeg);
    }
    if (reader->damage.status == CODECS_OK) {
        describe(jpeg, &reader->damage);
    }
}

/* Warnings have negative levels. These mean that pixels were invented; the others (extraneous bytes, an unknown Adobe
   transform, a later JFIF version, odd but decodable progressions) leave all pixels intact. */
static void on_message(j_common_ptr jpeg, int level) {
    if (level >= 0) {
        return;
    }
    switch (jpeg->err->msg_code) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_HIT_MARKER:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
        on_damage(jpeg);
        break;
    default:
        jpeg->err->num_warnings++;
    }
}

static void print_nothing(j_common_ptr jpeg) {
    (void)jpeg;
}

static void limit_scans(j_common_ptr jpeg) {
    codecs_jpeg_reader *reader = reader_of(jpeg);
    if (jpeg->is_decompressor && reader->jpeg.input_scan_number > reader->scan_limit) {
        char message[80];
        snprintf(message, sizeof message, "it has more than %d scans", reader->scan_limit);
        fail(reader, CODECS_UNSUPPORTED, message);
    }
}

static void do_nothing(j_decompress_ptr jpeg) {
    (void)jpeg;
}

/* All bytes are available from the start, so a request for more means the end of the data. Returning FALSE suspends the
   decoder, which then invents no pixels; a lenient reader gets the marker that ends an image. */
static boolean wait_for_more(j_decompress_ptr jpeg) {
    static const JOCTET end[] = {0xFF, JPEG_EOI};
    codecs_jpeg_reader *reader = reader_of((j_common_ptr)jpeg);
    if (!reader->lenient) {
        return FALSE;
    }
    if (reader->damage.status == CODECS_OK) {
        codecs_fail(&reader->damage, CODECS_TRUNCATED, "");
    }
    reader->source.next_input_byte = end;
    reader->source.bytes_in_buffer = sizeof end;
    return TRUE;
}

static void skip(j_decompress_ptr jpeg, long count) {
    struct jpeg_source_mgr *source = jpeg->src;
    if (count <= 0) {
        return;
    }
    if ((size_t)count > source->bytes_in_buffer) {
        count = (long)source->bytes_in_buffer;
    }
    source->next_input_byte += count;
    source->bytes_in_buffer -= (size_t)count;
}

static void configure(codecs_jpeg_reader *reader, const uint8_t *bytes, size_t count) {
    reader->jpeg.err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = on_error;
    reader->errors.emit_message = on_message;
    reader->errors.output_message = print_nothing;
    reader->jpeg.client_data = reader;
    jpeg_create_decompress(&reader->jpeg);
    reader->source.init_source = do_nothing;
    reader->source.fill_input_buffer = wait_for_more;
    reader->source.skip_input_data = skip;
    reader->source.resync_to_restart = jpeg_resync_to_restart;
    reader->source.term_source = do_nothing;
    reader->source.next_input_byte = bytes;
    reader->source.bytes_in_buffer = count;
    reader->jpeg.src = &reader->source;
    reader->progress.progress_monitor = limit_scans;
    reader->jpeg.progress = &reader->progress;
}

int codecs_damage_of_jpeg(const codecs_jpeg_reader *reader, codecs_error *damage) {
    *damage = reader->damage;
    return damage->status != CODECS_OK;
}

codecs_jpeg_reader *codecs_open_jpeg(
    const uint8_t *bytes, size_t count, int lenient, codecs_info *info, codecs_error *error) {
    codecs_jpeg_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        codecs_fail(error, CODECS_OUT_OF_MEMORY, "");
        return NULL;
    }
    reader->error = error;
    reader->lenient = lenient;
    reader->scan_limit = 1;
    if (setjmp(reader->failed)) {
        codecs_close_jpeg(reader);
        return NULL;
    }
    configure(reader, bytes, count);
    if (jpeg_read_header(&reader->jpeg, FALSE) != JPEG_HEADER_OK) {
        fail(reader, CODECS_TRUNCATED, "");
    }
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    char message[80];
    if (jpeg->data_precision != 8) {
        snprintf(message, sizeof message, "it has %d bits a sample", jpeg->data_precision);
        fail(reader, CODECS_UNSUPPORTED, message);
    }
    if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4) {
        snprintf(message, sizeof message, "it has %d colour components", jpeg->num_components);
        fail(reader, CODECS_UNSUPPORTED, message);
    }
    reader->image.width = jpeg->image_width;
    reader->image.height = jpeg->image_height;
    reader->image.is_grey = jpeg->num_components == 1;
    *info = reader->image;
    return reader;
}

/* a * b / 255, rounded. */
static inline int scaled(int a, int b) {
    int product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

/* As in Adobe's files, inks are inverted: 255 is none. The arithmetic is Pillow's. */
static void convert_inks(const uint8_t *inks, uint8_t *rgb, size_t width) {
    for (size_t x = 0; x < width; x++, inks += 4, rgb += 3) {
        int light = inks[3];
        rgb[0] = (uint8_t)(light - scaled(255 - inks[0], light));
        rgb[1] = (uint8_t)(light - scaled(255 - inks[1], light));
        rgb[2] = (uint8_t)(light - scaled(255 - inks[2], light));
    }
}

static void choose_colours(codecs_jpeg_reader *reader, int channels) {
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    if (jpeg->num_components < 4) {
        jpeg->out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
        return;
    }
    jpeg->out_color_space = JCS_CMYK;
    reader->inks = malloc((size_t)jpeg->image_width * 4);
    if (reader->inks == NULL) {
        fail(reader, CODECS_OUT_OF_MEMORY, "");
    }
}

/* Whether the scans of a progressive JPEG left bits of a coefficient unknown. libjpeg then makes coefficients up from those of
   the blocks around, and takes what is cropped for all there is. */
static int is_incomplete(const struct jpeg_decompress_struct *jpeg) {
    if (!jpeg->progressive_mode || jpeg->coef_bits == NULL) {
        return 0;
    }
    for (int component = 0; component < jpeg->num_components; component++) {
        for (int coefficient = 0; coefficient < DCTSIZE2; coefficient++) {
            if (jpeg->coef_bits[component][coefficient] != 0) {
                return 1;
            }
        }
    }
    return 0;
}

/* Whether libjpeg cannot leave pixels out. With sampling factors beyond 2, which hardly any encoder writes, cropping changes
   pixels, and skipping may miscount the rows: it then reads four billion of them. */
static int needs_every_pixel(const struct jpeg_decompress_struct *jpeg) {
    return jpeg->max_h_samp_factor > 2 || jpeg->max_v_samp_factor > 2 || is_incomplete(jpeg);
}

int codecs_start_jpeg(
    codecs_jpeg_reader *reader, int channels, int eighths, int scan_limit, codecs_info *decoded, codecs_error *error) {
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    reader->error = error;
    reader->scan_limit = scan_limit;
    reader->channels = channels;
    if (setjmp(reader->failed)) {
        return 0;
    }
    choose_colours(reader, channels);
    jpeg->scale_num = (unsigned)eighths;
    jpeg->scale_denom = 8;
    if (!jpeg_start_decompress(jpeg)) {
        fail(reader, CODECS_TRUNCATED, "");
    }
    reader->reads_all = needs_every_pixel(jpeg);
    *decoded = reader->image;
    decoded->width = jpeg->output_width;
    decoded->height = jpeg->output_height;
    return 1;
}

int codecs_crop_jpeg(codecs_jpeg_reader *reader, uint32_t *first, uint32_t *count, codecs_error *error) {
    reader->error = error;
    if (setjmp(reader->failed)) {
        return 0;
    }
    JDIMENSION start = *first, width = *count;
    if (reader->reads_all) {
        *first = 0;
        *count = reader->jpeg.output_width;
        return 1;
    }
    jpeg_crop_scanline(&reader->jpeg, &start, &width);
    *first = start;
    *count = width;
    return 1;
}

/* Sets no jump target: the caller has set one. */
static void read_rows(codecs_jpeg_reader *reader, size_t count, uint8_t *rows) {
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    const size_t stride = (size_t)jpeg->output_width * (size_t)reader->channels;
    for (size_t row = 0; row < count; row++) {
        JSAMPROW target = reader->inks != NULL ? reader->inks : rows + row * stride;
        if (jpeg_read_scanlines(jpeg, &target, 1) != 1) {
            fail(reader, CODECS_TRUNCATED, "");
        }
        if (reader->inks != NULL) {
            convert_inks(reader->inks, rows + row * stride, jpeg->output_width);
        }
    }
}

int codecs_read_jpeg_rows(codecs_jpeg_reader *reader, size_t count, uint8_t *rows, codecs_error *error) {
    reader->error = error;
    if (setjmp(reader->failed)) {
        return 0;
    }
    read_rows(reader, count, rows);
    return 1;
}

/* A row to read and forget, which goes when the reader does. */
static uint8_t *scratch_row(codecs_jpeg_reader *reader) {
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    if (reader->skipped == NULL) {
        size_t bytes = (size_t)jpeg->output_width * (size_t)reader->channels;
        reader->skipped = jpeg->mem->alloc_large((j_common_ptr)jpeg, JPOOL_IMAGE, bytes);
    }
    return reader->skipped;
}

static void skip_rows(codecs_jpeg_reader *reader, size_t count) {
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    if (reader->reads_all) {
        for (size_t row = 0; row < count; row++) {
            read_rows(reader, 1, scratch_row(reader));
        }
        return;
    }
    if (count > 0 && jpeg_skip_scanlines(jpeg, (JDIMENSION)count) != count) {
        fail(reader, CODECS_TRUNCATED, "");
    }
}

int codecs_skip_jpeg_rows(codecs_jpeg_reader *reader, size_t count, codecs_error *error) {
    reader->error = error;
    if (setjmp(reader->failed)) {
        return 0;
    }
    skip_rows(reader, count);
    return 1;
}

int codecs_finish_jpeg(codecs_jpeg_reader *reader, uint8_t *row, codecs_error *error) {
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    reader->error = error;
    if (setjmp(reader->failed)) {
        return 0;
    }
    /* libjpeg does not read the data of rows that are skipped up to the end. */
    if (jpeg->output_scanline < jpeg->output_height) {
        skip_rows(reader, jpeg->output_height - jpeg->output_scanline - 1);
        read_rows(reader, 1, row);
    }
    jpeg_finish_decompress(jpeg);
    return 1;
}

void codecs_close_jpeg(codecs_jpeg_reader *reader) {
    if (reader == NULL) {
        return;
    }
    jpeg_destroy_decompress(&reader->jpeg);
    free(reader->inks);
    free(reader);
}
