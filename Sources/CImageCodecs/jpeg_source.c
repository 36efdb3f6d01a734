/* Where a JPEG reader takes its bytes from, and what it makes of libjpeg's messages. */
#include "jpeg_reader.h"

static codecs_jpeg_reader *reader_of(j_common_ptr jpeg) {
    return (codecs_jpeg_reader *)jpeg->client_data;
}

void codecs_fail_jpeg(codecs_jpeg_reader *reader, codecs_status status, const char *message) {
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
        codecs_fail_jpeg(reader, CODECS_UNSUPPORTED, message);
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

void codecs_configure_jpeg(codecs_jpeg_reader *reader, const uint8_t *bytes, size_t count) {
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
