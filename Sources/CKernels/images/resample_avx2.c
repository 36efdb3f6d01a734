#include "resample_rows.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

/* A weight has 23 bits and the processor multiplies pairs of 16: each is split into weight = high * 2^11 + low, both
   halves are summed apart, and put together they give the very sums of the plain kernel. */
enum { low_bits = 11, group_taps = 4 };

/* The weights of four taps, as they meet the pixels: lane 0 holds taps 0 and 1, once for each channel, lane 1 taps 2
   and 3. */
typedef struct weight_group {
    int16_t high[16];
    int16_t low[16];
} weight_group;

int vit_split_weights_avx2(vit_row_resampler *plan) {
    const vit_resample_taps *taps = &plan->taps;
    plan->groups_per_column = ((size_t)taps->span + group_taps - 1) / group_taps;
    plan->groups = calloc(plan->width * plan->groups_per_column, sizeof(weight_group));
    if (plan->groups == NULL) {
        return 0;
    }
    for (size_t x = 0; x < plan->width; x++) {
        weight_group *groups = (weight_group *)plan->groups + x * plan->groups_per_column;
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
    return 1;
}

/* Sums of one row: four channels in each of two lanes, which belong together. */
__attribute__((target("avx2"))) static inline __m256i sums_of(__m256i high, __m256i low) {
    return _mm256_add_epi32(_mm256_slli_epi32(high, low_bits), low);
}

__attribute__((target("avx2"), always_inline)) static inline void resample_pixels(
    const vit_row_resampler *plan, const size_t channels, const uint8_t *const rows[vit_row_block],
    uint8_t *const outputs[vit_row_block]) {
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
        const weight_group *group = (const weight_group *)plan->groups + x * plan->groups_per_column;
        size_t at = (size_t)plan->taps.starts[x] * channels;
        __m256i high[vit_row_block];
        __m256i low[vit_row_block];
        for (int row = 0; row < vit_row_block; row++) {
            high[row] = low[row] = _mm256_setzero_si256();
        }
        for (int32_t tap = 0; tap < plan->taps.counts[x]; tap += group_taps, group++, at += group_bytes) {
            const __m256i high_weights = _mm256_loadu_si256((const __m256i *)group->high);
            const __m256i low_weights = _mm256_loadu_si256((const __m256i *)group->low);
            for (int row = 0; row < vit_row_block; row++) {
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
        for (int row = 0; row < vit_row_block; row++) {
            memcpy(outputs[row] + x * channels, &pixels[row / 2 * 4 + row % 2], channels);
        }
    }
}

__attribute__((target("avx2"))) void vit_resample_block_avx2(
    const vit_row_resampler *plan, const uint8_t *const rows[vit_row_block], uint8_t *const outputs[vit_row_block]) {
    if (plan->channels == 3) {
        resample_pixels(plan, 3, rows, outputs);
    } else {
        resample_pixels(plan, 4, rows, outputs);
    }
}

int vit_has_rows_avx2(void) {
    return __builtin_cpu_supports("avx2");
}

#else

int vit_has_rows_avx2(void) {
    return 0;
}

int vit_split_weights_avx2(vit_row_resampler *plan) {
    (void)plan;
    return 0;
}

void vit_resample_block_avx2(
    const vit_row_resampler *plan, const uint8_t *const rows[vit_row_block], uint8_t *const outputs[vit_row_block]) {
    (void)plan, (void)rows, (void)outputs;
}

#endif
