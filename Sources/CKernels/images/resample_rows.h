#ifndef VIT_RESAMPLE_ROWS_H
#define VIT_RESAMPLE_ROWS_H

#include "resample.h"

/* The AVX2 kernel takes so many rows at a time, so that weights once loaded serve several. */
enum { vit_row_block = 4 };

/* Behind the last pixel that counts, the AVX2 kernel reads up to 13 bytes more. */
enum { vit_row_overrun = 16 };

struct vit_row_resampler {
    int channels;
    size_t width;
    vit_resample_taps taps;
    /* What the taps point to. */
    int32_t *numbers;
    /* The weights in the order of the AVX2 kernel; NULL where the plain one is used. */
    void *groups;
    size_t groups_per_column;
    /* The bytes of a row, from its beginning, that some weight meets. */
    size_t used_bytes;
    /* Room for a block of rows that may be read beyond their ends, and for what they become. */
    uint8_t *copies;
};

/* Whether the processor has what the kernel needs. */
int vit_has_rows_avx2(void);

/* Sets `groups` for 3 or 4 channels. Returns 0 where memory is missing. */
int vit_split_weights_avx2(vit_row_resampler *plan);

/* `rows` and `outputs` point to the beginnings of the rows. */
void vit_resample_block_avx2(
    const vit_row_resampler *plan, const uint8_t *const rows[vit_row_block], uint8_t *const outputs[vit_row_block]);

void vit_resample_rows_plainly(
    const vit_row_resampler *plan, const uint8_t *input, size_t input_stride, size_t row_count, uint8_t *output,
    size_t output_stride);

#endif
