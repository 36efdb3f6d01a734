#ifndef VIT_RESAMPLE_H
#define VIT_RESAMPLE_H

/* Resampling of interleaved 8-bit rows in fixed point, in the arithmetic of Pillow, to the bit. */

#include <stddef.h>
#include <stdint.h>

/* Weights are integers of 2^-22; a result is their sum over 8-bit samples, rounded and clipped to 0...255. */
#define VIT_RESAMPLE_BITS 22

/* How each output position weighs its inputs: `span` weights a position, of which the first `count` count. */
typedef struct vit_resample_taps {
    int span;
    /* The first input of each position. */
    const int32_t *starts;
    const int32_t *counts;
    const int32_t *weights;
} vit_resample_taps;

/* Weights in the order in which the rows' kernel wants them. For one thread at a time. */
typedef struct vit_row_resampler vit_row_resampler;

/* Rows become `width` pixels of `channels` (1 to 4) bytes. NULL where memory is missing. */
vit_row_resampler *vit_make_row_resampler(int channels, vit_resample_taps taps, size_t width);
void vit_free_row_resampler(vit_row_resampler *resampler);

/* Each of `row_count` rows of `input_stride` bytes becomes one of the output. */
void vit_resample_rows(
    const vit_row_resampler *resampler, const uint8_t *input, size_t input_stride, size_t row_count, uint8_t *output,
    size_t output_stride);

/* Rows of `row_bytes` bytes are weighed against each other and become `height` rows. */
void vit_resample_columns(
    const uint8_t *input, size_t input_stride, size_t row_bytes, vit_resample_taps taps, uint8_t *output,
    size_t output_stride, size_t height);

#endif
