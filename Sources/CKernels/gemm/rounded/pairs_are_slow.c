#include "gemm.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "../../clones.h"

#define TARGET __attribute__((target("avx512f,avx512bf16"), noinline))

enum { sum_count = 12, round_count = 64, trial_count = 5 };

// Independent sums hide the latency of an instruction; the loop keeps them in registers.
#define TIME(NAME, ADD)                                                                       \
    TARGET static uint64_t NAME(void) {                                                       \
        __m512 sums[sum_count];                                                               \
        const __m512 x = _mm512_set1_ps(1);                                                   \
        for (int i = 0; i < sum_count; i++) sums[i] = x;                                      \
        const uint64_t began = __builtin_ia32_rdtsc();                                        \
        for (int round = 0; round < round_count; round++) {                                   \
            UNROLLED                                                                          \
            for (int i = 0; i < sum_count; i++) {                                             \
                ADD;                                                                          \
                __asm__ volatile("" : "+v"(sums[i]));                                         \
            }                                                                                 \
        }                                                                                     \
        return __builtin_ia32_rdtsc() - began;                                                \
    }

TIME(time_of_pairs, sums[i] = _mm512_dpbf16_ps(sums[i], (__m512bh)x, (__m512bh)x))
TIME(time_of_two, sums[i] = _mm512_fmadd_ps(x, x, _mm512_fmadd_ps(x, x, sums[i])))

int vit_pairs_are_slow(void) {
    if (!vit_supports(vit_avx512_bf16)) return 0;
    uint64_t pairs = UINT64_MAX, two = UINT64_MAX;
    for (int trial = 0; trial < trial_count; trial++) {
        const uint64_t a = time_of_pairs(), b = time_of_two();
        pairs = a < pairs ? a : pairs;
        two = b < two ? b : two;
    }
    return pairs > two + two / 4;
}
#else
int vit_pairs_are_slow(void) { return 0; }
#endif
