#ifndef JPEG_READER_H
#define JPEG_READER_H

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
    codecs_error further_damage;
    codecs_error *error;
    jmp_buf failed;
};

/* Ends what is being read; `failed` returns. */
__attribute__((noreturn)) void codecs_fail_jpeg(codecs_jpeg_reader *reader, codecs_status status, const char *message);

/* Makes the decompressor, which reads `count` bytes and reports to the reader. */
void codecs_configure_jpeg(codecs_jpeg_reader *reader, const uint8_t *bytes, size_t count);

#endif
