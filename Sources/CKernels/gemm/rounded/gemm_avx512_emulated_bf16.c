#if defined(__x86_64__)
#include "../avx512.h"

// As in single precision, but that pairs of B are widened on the way.
enum { mr = 12, vectors = 2, reads_b_again = 0, rows_ahead = 16, prefetch_period = 1, prefetch_locality = 2, parts = 2 };

#define TARGET AVX512
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_ps(a, b, c)

#include "../micro_kernel.h"

TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)

ROUNDED_KERNEL(
    vit_gemm_avx512_emulated_bf16, vit_bf16_kc, 2, vit_round_a_to_wide_bfloat16, vit_round_b_to_bfloat16,
    tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11, tile_12)

#endif
