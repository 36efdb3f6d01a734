#include "jpeg_reader.h"

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
    codecs_configure_jpeg(reader, bytes, count);
    if (jpeg_read_header(&reader->jpeg, FALSE) != JPEG_HEADER_OK) {
        codecs_fail_jpeg(reader, CODECS_TRUNCATED, "");
    }
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    char message[80];
    if (jpeg->data_precision != 8) {
        snprintf(message, sizeof message, "it has %d bits a sample", jpeg->data_precision);
        codecs_fail_jpeg(reader, CODECS_UNSUPPORTED, message);
    }
    if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4) {
        snprintf(message, sizeof message, "it has %d colour components", jpeg->num_components);
        codecs_fail_jpeg(reader, CODECS_UNSUPPORTED, message);
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
        codecs_fail_jpeg(reader, CODECS_OUT_OF_MEMORY, "");
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
        codecs_fail_jpeg(reader, CODECS_TRUNCATED, "");
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
            codecs_fail_jpeg(reader, CODECS_TRUNCATED, "");
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
        codecs_fail_jpeg(reader, CODECS_TRUNCATED, "");
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
    /* All pixels are there: what stands behind them may be damaged, where damage is tolerated. */
    if (reader->lenient) {
        reader->error = reader->damage.status == CODECS_OK ? &reader->damage : &reader->further_damage;
        if (setjmp(reader->failed)) {
            return 1;
        }
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
