#if defined(__x86_64__)
#include "../avx512.h"

// As in single precision, but that a step multiplies and adds words of four numbers, those of A without a sign.
enum { mr = 12, vectors = 2, reads_b_again = 0, rows_ahead = 16, prefetch_period = 1, prefetch_locality = 2, parts = 1 };

#define TARGET __attribute__((target("avx512f,avx512vnni")))
#define MULTIPLY_ADD(a, b, c) ((vector)_mm512_dpbusd_epi32((__m512i)(c), (__m512i)(a), (__m512i)(b)))
#define A_OFFSET 128

#include "../micro_kernel.h"

TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)

#define ROUNDING __attribute__((target("avx512f,avx512bw")))

ROUNDING INLINED uint32_t largest_magnitude(const float *x, int64_t k) {
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    const int64_t whole = k / (2 * lanes) * (2 * lanes);
    __m512i largest = _mm512_setzero_si512(), other = largest;
    for (int64_t i = 0; i < whole; i += 2 * lanes) {
        largest = _mm512_max_epi32(largest, _mm512_and_si512((__m512i)LOAD(x + i), magnitude));
        other = _mm512_max_epi32(other, _mm512_and_si512((__m512i)LOAD(x + i + lanes), magnitude));
    }
    for (int64_t i = whole; i < k; i += lanes)
        largest = _mm512_max_epi32(largest, _mm512_and_si512((__m512i)load_some(x + i, mask_of(k - i)), magnitude));
    return (uint32_t)_mm512_reduce_max_epi32(_mm512_max_epi32(largest, other));
}

ROUNDING INLINED __m512i whole_numbers(vector x, vector factor) { return _mm512_cvtps_epi32(MULTIPLY(x, factor)); }

ROUNDING static void round_rows(
    const float *a, int64_t stride, int64_t rows, int64_t k, float *words, int64_t word_stride, float *scales) {
    const __m512i offset = _mm512_set1_epi8((char)0x80);
    const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const int64_t whole = k / (4 * lanes) * (4 * lanes);
    for (int64_t row = 0; row < rows; row++) {
        const float *from = a + row * stride;
        char *to = (char *)(words + row * word_stride);
        const vector factor = BROADCAST(vit_int8_factor(largest_magnitude(from, k), &scales[row]));
        for (int64_t i = 0; i < whole; i += 4 * lanes) {
            const __m512i first = _mm512_packs_epi32(
                whole_numbers(LOAD(from + i), factor), whole_numbers(LOAD(from + i + lanes), factor));
            const __m512i second = _mm512_packs_epi32(
                whole_numbers(LOAD(from + i + 2 * lanes), factor), whole_numbers(LOAD(from + i + 3 * lanes), factor));
            // Packing works on quarters of vectors, whose order it leaves to be mended.
            const __m512i numbers = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(first, second));
            _mm512_storeu_si512(to + i, _mm512_xor_si512(numbers, offset));
        }
        for (int64_t i = whole; i < k; i += lanes) {
            const __m512i numbers = whole_numbers(load_some(from + i, mask_of(k - i)), factor);
            // Whole vectors are stored: rows end with the line of a cache.
            const __m128i bytes = _mm512_cvtepi32_epi8(numbers);
            _mm_storeu_si128((__m128i *)(to + i), _mm_xor_si128(bytes, _mm512_castsi512_si128(offset)));
        }
    }
}

ROUNDED_KERNEL(
    vit_gemm_avx512_vnni_int8, VIT_INT8_KC, 4, round_rows, vit_round_b_to_int8,
    NULL, NULL,
    {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11, tile_12})

#endif
