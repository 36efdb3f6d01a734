#include "gemm.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "../../clones.h"

// So many that none waits for another: in the registers of AVX-512 there are more.
enum { wide_count = 24, count = 12 };

// Adds products of words in independent sums, which the loop keeps in registers.
#define LOOP(NAME, TARGET, VECTOR, COUNT, REGISTER, ADD)                               \
    __attribute__((target(TARGET), noinline)) static void NAME(int64_t rounds) {       \
        VECTOR sums[COUNT] = {0};                                                      \
        const VECTOR x = {0};                                                          \
        for (int64_t round = 0; round < rounds; round++) {                             \
            UNROLLED                                                                   \
            for (int i = 0; i < COUNT; i++) {                                          \
                sums[i] = ADD;                                                         \
                __asm__ volatile("" : REGISTER(sums[i]));                              \
            }                                                                          \
        }                                                                              \
    }

LOOP(floats_avx512, "avx512f", __m512, wide_count, "+v", _mm512_fmadd_ps(x, x, sums[i]))
LOOP(bf16_avx512, "avx512f,avx512bf16", __m512, wide_count, "+v", _mm512_dpbf16_ps(sums[i], (__m512bh)x, (__m512bh)x))
LOOP(int8_avx512, "avx512f,avx512vnni", __m512i, wide_count, "+v", _mm512_dpbusd_epi32(sums[i], x, x))
LOOP(int8_avx_vnni, "avx2,avxvnni", __m256i, count, "+x", _mm256_dpbusd_avx_epi32(sums[i], x, x))
LOOP(int8_avx2, "avx2", __m256i, count, "+x", _mm256_add_epi32(sums[i], _mm256_madd_epi16(x, x)))

int64_t vit_word_multiply_adds(vit_instruction_set set, vit_gemm_format format, int64_t rounds) {
    const int64_t words = set >= vit_avx512_vnni ? wide_count * 16 : count * 8;
    if (format == vit_bfloat16 && set == vit_avx512_bf16) bf16_avx512(rounds);
    else if (format == vit_int8 && set >= vit_avx512_vnni) int8_avx512(rounds);
    else if (format == vit_int8 && set == vit_avx_vnni) int8_avx_vnni(rounds);
    else if (format == vit_int8 && set != vit_portable) int8_avx2(rounds);
    else return 0;
    return rounds * words * vit_gemm_numbers_per_word(set, format);
}

// The least time of a few trials, in ticks of the clock.
static uint64_t least_time(void (*loop)(int64_t), int64_t rounds) {
    uint64_t least = UINT64_MAX;
    for (int trial = 0; trial < 5; trial++) {
        const uint64_t began = __builtin_ia32_rdtsc();
        loop(rounds);
        const uint64_t time = __builtin_ia32_rdtsc() - began;
        least = time < least ? time : least;
    }
    return least;
}

int vit_pairs_are_slow(void) {
    if (!vit_supports(vit_avx512_bf16)) return 0;
    const uint64_t pairs = least_time(bf16_avx512, 64), floats = least_time(floats_avx512, 2 * 64);
    return pairs > floats + floats / 4;
}
#else
int vit_pairs_are_slow(void) { return 0; }

int64_t vit_word_multiply_adds(vit_instruction_set set, vit_gemm_format format, int64_t rounds) {
    (void)set, (void)format, (void)rounds;
    return 0;
}
#endif
