#include "resample_avx2.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

/* A weight has 23 bits and the processor multiplies pairs of 16: each is split into weight = high * 2^11 + low, both
   halves are summed apart, and put together they give the very sums of the plain kernel. */
enum { low_bits = 11, group_taps = 4, row_block = 4 };

/* The weights of four taps, as they meet the pixels: lane 0 holds taps 0 and 1, once for each channel, lane 1 taps 2
   and 3. */
typedef struct weight_group {
    int16_t high[16];
    int16_t low[16];
} weight_group;

typedef struct plan {
    weight_group *groups;
    size_t groups_per_column;
    const vit_resample_taps *taps;
    size_t channels;
    size_t width;
} plan;

static void split_weights(const plan *plan) {
    const vit_resample_taps *taps = plan->taps;
    for (size_t x = 0; x < plan->width; x++) {
        weight_group *groups = plan->groups + x * plan->groups_per_column;
        for (int32_t tap = 0; tap < taps->counts[x]; tap++) {
            int32_t weight = taps->weights[x * (size_t)taps->span + (size_t)tap];
            weight_group *group = groups + tap / group_taps;
            for (int channel = 0; channel < 4; channel++) {
                int at = (tap % group_taps) / 2 * 8 + channel * 2 + tap % 2;
                group->high[at] = (int16_t)(weight >> low_bits);
                group->low[at] = (int16_t)(weight & ((1 << low_bits) - 1));
            }
        }
    }
}

/* Sums of one row: four channels in each of two lanes, which belong together. */
__attribute__((target("avx2"))) static inline __m256i sums_of(__m256i high, __m256i low) {
    return _mm256_add_epi32(_mm256_slli_epi32(high, low_bits), low);
}

__attribute__((target("avx2"), always_inline)) static inline void resample_pixels(
    const plan *plan, const size_t channels, const uint8_t *const rows[row_block], uint8_t *const outputs[row_block]) {
    const char z = -1;
    const __m256i pairs =
        channels == 3
            ? _mm256_setr_epi8(
                  0, z, 3, z, 1, z, 4, z, 2, z, 5, z, z, z, z, z, 6, z, 9, z, 7, z, 10, z, 8, z, 11, z, z, z, z, z)
            : _mm256_setr_epi8(
                  0, z, 4, z, 1, z, 5, z, 2, z, 6, z, 3, z, 7, z, 8, z, 12, z, 9, z, 13, z, 10, z, 14, z, 11, z, 15, z);
    const __m256i half = _mm256_set1_epi32(1 << (VIT_RESAMPLE_BITS - 1));
    const size_t group_bytes = group_taps * channels;
    for (size_t x = 0; x < plan->width; x++) {
        const weight_group *group = plan->groups + x * plan->groups_per_column;
        size_t at = (size_t)plan->taps->starts[x] * channels;
        __m256i high[row_block];
        __m256i low[row_block];
        for (int row = 0; row < row_block; row++) {
            high[row] = low[row] = _mm256_setzero_si256();
        }
        for (int32_t tap = 0; tap < plan->taps->counts[x]; tap += group_taps, group++, at += group_bytes) {
            const __m256i high_weights = _mm256_loadu_si256((const __m256i *)group->high);
            const __m256i low_weights = _mm256_loadu_si256((const __m256i *)group->low);
            for (int row = 0; row < row_block; row++) {
                __m256i pixels = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(rows[row] + at)));
                pixels = _mm256_shuffle_epi8(pixels, pairs);
                high[row] = _mm256_add_epi32(high[row], _mm256_madd_epi16(pixels, high_weights));
                low[row] = _mm256_add_epi32(low[row], _mm256_madd_epi16(pixels, low_weights));
            }
        }
        __m256i first[2];
        for (int pair = 0; pair < 2; pair++) {
            const __m256i a = sums_of(high[pair], low[pair]);
            const __m256i b = sums_of(high[pair + 2], low[pair + 2]);
            const __m256i sums =
                _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
            first[pair] = _mm256_srai_epi32(_mm256_add_epi32(sums, half), VIT_RESAMPLE_BITS);
        }
        /* Saturation is the clipping. Lane 0 holds rows 0 and 1, lane 1 rows 2 and 3. */
        const __m256i words = _mm256_packs_epi32(first[0], first[1]);
        const __m256i bytes = _mm256_packus_epi16(words, words);
        uint32_t pixels[8];
        _mm256_storeu_si256((__m256i *)pixels, bytes);
        for (int row = 0; row < row_block; row++) {
            memcpy(outputs[row] + x * channels, &pixels[row / 2 * 4 + row % 2], channels);
        }
    }
}

/* Four rows at a time; `rows` and `outputs` point to the beginnings of the rows. */
__attribute__((target("avx2"))) static void resample_block(
    const plan *plan, const uint8_t *const rows[row_block], uint8_t *const outputs[row_block]) {
    if (plan->channels == 3) {
        resample_pixels(plan, 3, rows, outputs);
    } else {
        resample_pixels(plan, 4, rows, outputs);
    }
}

/* A block whose rows may be read beyond their ends: `copies` has room for it. The rows behind the last are copies. */
static void resample_edge(
    const plan *plan, const uint8_t *input, size_t stride, size_t row_count, size_t row_bytes, size_t padded_bytes,
    uint8_t *copies, uint8_t *output, size_t output_stride) {
    uint8_t *outputs[row_block];
    const uint8_t *rows[row_block];
    const size_t output_bytes = plan->width * plan->channels;
    for (size_t row = 0; row < row_block; row++) {
        uint8_t *copy = copies + row * padded_bytes;
        memcpy(copy, input + (row < row_count ? row : 0) * stride, row_bytes);
        rows[row] = copy;
        outputs[row] = copies + row_block * padded_bytes + row * output_bytes;
    }
    resample_block(plan, rows, outputs);
    for (size_t row = 0; row < row_count; row++) {
        memcpy(output + row * output_stride, outputs[row], output_bytes);
    }
}

static void resample_all(
    const plan *plan, const uint8_t *input, size_t stride, size_t row_count, uint8_t *edge, uint8_t *output,
    size_t output_stride) {
    size_t used = 0;
    for (size_t x = 0; x < plan->width; x++) {
        size_t end = (size_t)(plan->taps->starts[x] + plan->taps->counts[x]) * plan->channels;
        used = end > used ? end : used;
    }
    size_t row = 0;
    /* A group reads up to 13 bytes behind the last pixel that counts: the next row must be there to cover them. */
    const size_t overrun = 16;
    const size_t covered_rows = stride >= overrun ? row_count : 0;
    for (; row + row_block < covered_rows; row += row_block) {
        const uint8_t *rows[row_block];
        uint8_t *outputs[row_block];
        for (size_t i = 0; i < row_block; i++) {
            rows[i] = input + (row + i) * stride;
            outputs[i] = output + (row + i) * output_stride;
        }
        resample_block(plan, rows, outputs);
    }
    for (; row < row_count; row += row_block) {
        size_t rest = row_count - row < row_block ? row_count - row : row_block;
        resample_edge(
            plan, input + row * stride, stride, rest, used, used + overrun, edge, output + row * output_stride,
            output_stride);
    }
}

int vit_resample_rows_avx2(
    const uint8_t *input, size_t input_stride, size_t row_count, int channels, vit_resample_taps taps, uint8_t *output,
    size_t output_stride, size_t width) {
    if (!__builtin_cpu_supports("avx2")) {
        return 0;
    }
    plan plan = {
        .groups_per_column = ((size_t)taps.span + group_taps - 1) / group_taps,
        .taps = &taps,
        .channels = (size_t)channels,
        .width = width};
    plan.groups = calloc(width * plan.groups_per_column, sizeof *plan.groups);
    uint8_t *edge = calloc(row_block, input_stride + 64 + width * plan.channels);
    if (plan.groups != NULL && edge != NULL) {
        split_weights(&plan);
        resample_all(&plan, input, input_stride, row_count, edge, output, output_stride);
    }
    int done = plan.groups != NULL && edge != NULL;
    free(plan.groups);
    free(edge);
    return done;
}

#else

int vit_resample_rows_avx2(
    const uint8_t *input, size_t input_stride, size_t row_count, int channels, vit_resample_taps taps, uint8_t *output,
    size_t output_stride, size_t width) {
    (void)input, (void)input_stride, (void)row_count, (void)channels, (void)taps, (void)output, (void)output_stride;
    (void)width;
    return 0;
}

#endif
