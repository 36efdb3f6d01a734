#include "../vector128.h"

// As in single precision, but that pairs of B are widened on the way: once where there are registers for that.
#if defined(__aarch64__)
enum { mr = 6, reads_b_again = 0 };
#else
enum { mr = 3, reads_b_again = 1 };
#endif
enum { vectors = 4, rows_ahead = 0, prefetch_period = 4, prefetch_locality = 3, parts = 2 };

typedef uint32_t word_vector __attribute__((vector_size(lanes * sizeof(uint32_t))));

#define TARGET
// Products of two are exact in single precision: it does not matter whether multiplying and adding is one instruction.
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#define PART(pairs, i) ((vector)((i) == 0 ? (word_vector)(pairs) << 16 : (word_vector)(pairs) & 0xffff0000u))

#include "../micro_kernel.h"

TILE(1) TILE(2) TILE(3)
#if defined(__aarch64__)
TILE(4) TILE(5) TILE(6)
#endif

const vit_gemm_kernel vit_gemm_portable_bf16 = {
    .mr = mr,
    .nr = nr,
    .kc = vit_bf16_kc,
    .kc_across = vit_bf16_kc,
    .prefetch_period = prefetch_period,
    .min_n_for_packing_a = INT64_MAX,
#if defined(__aarch64__)
    .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6}},
#else
    .tiles = {{tile_1, tile_2, tile_3}},
#endif
    .numbers_per_word = 2,
    .parts = 2,
    .round_a = vit_round_a_to_wide_bfloat16,
    .round_b = vit_round_b_to_bfloat16,
};
