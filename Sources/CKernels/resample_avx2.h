#ifndef VIT_RESAMPLE_AVX2_H
#define VIT_RESAMPLE_AVX2_H

#include "resample.h"

/* vit_resample_rows for 3 or 4 channels. Returns 0, having done nothing, where the processor or the memory for it is
   missing. */
int vit_resample_rows_avx2(
    const uint8_t *input, size_t input_stride, size_t row_count, int channels, vit_resample_taps taps, uint8_t *output,
    size_t output_stride, size_t width);

#endif
