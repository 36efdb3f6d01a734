#include "resample.h"

#include "../clones.h"
#include "resample_rows.h"

static const int32_t half = 1 << (VIT_RESAMPLE_BITS - 1);

static inline uint8_t clipped(int32_t sum) {
    int32_t value = sum >> VIT_RESAMPLE_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static inline __attribute__((always_inline)) void resample_rows(
    const uint8_t *input, size_t input_stride, size_t row_count, const int channels, vit_resample_taps taps,
    uint8_t *output, size_t output_stride, size_t width) {
    for (size_t row = 0; row < row_count; row++) {
        for (size_t x = 0; x < width; x++) {
            const uint8_t *pixel = input + row * input_stride + (size_t)taps.starts[x] * (size_t)channels;
            const int32_t *weights = taps.weights + x * (size_t)taps.span;
            int32_t sums[4] = {half, half, half, half};
            for (int32_t tap = 0; tap < taps.counts[x]; tap++) {
                for (int channel = 0; channel < channels; channel++) {
                    sums[channel] += pixel[tap * channels + channel] * weights[tap];
                }
            }
            for (int channel = 0; channel < channels; channel++) {
                output[row * output_stride + x * (size_t)channels + (size_t)channel] = clipped(sums[channel]);
            }
        }
    }
}

CLONED void vit_resample_rows_plainly(
    const vit_row_resampler *plan, const uint8_t *input, size_t input_stride, size_t row_count, uint8_t *output,
    size_t output_stride) {
    switch (plan->channels) {
    case 1:
        resample_rows(input, input_stride, row_count, 1, plan->taps, output, output_stride, plan->width);
        break;
    case 2:
        resample_rows(input, input_stride, row_count, 2, plan->taps, output, output_stride, plan->width);
        break;
    case 3:
        resample_rows(input, input_stride, row_count, 3, plan->taps, output, output_stride, plan->width);
        break;
    default:
        resample_rows(input, input_stride, row_count, 4, plan->taps, output, output_stride, plan->width);
    }
}

/* So many sums stay in registers while the rows pass by. */
enum { block = 64 };

CLONED void vit_resample_columns(
    const uint8_t *input, size_t input_stride, size_t row_bytes, vit_resample_taps taps, uint8_t *output,
    size_t output_stride, size_t height) {
    for (size_t y = 0; y < height; y++) {
        const uint8_t *first = input + (size_t)taps.starts[y] * input_stride;
        const int32_t *weights = taps.weights + y * (size_t)taps.span;
        const int32_t count = taps.counts[y];
        uint8_t *row = output + y * output_stride;
        size_t x = 0;
        for (; x + block <= row_bytes; x += block) {
            int32_t sums[block];
            for (int i = 0; i < block; i++) {
                sums[i] = half;
            }
            for (int32_t tap = 0; tap < count; tap++) {
                const uint8_t *samples = first + (size_t)tap * input_stride + x;
                for (int i = 0; i < block; i++) {
                    sums[i] += samples[i] * weights[tap];
                }
            }
            for (int i = 0; i < block; i++) {
                row[x + (size_t)i] = clipped(sums[i]);
            }
        }
        for (; x < row_bytes; x++) {
            int32_t sum = half;
            for (int32_t tap = 0; tap < count; tap++) {
                sum += first[(size_t)tap * input_stride + x] * weights[tap];
            }
            row[x] = clipped(sum);
        }
    }
}
