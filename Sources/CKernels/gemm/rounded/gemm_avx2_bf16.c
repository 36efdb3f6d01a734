#if defined(__x86_64__)
#include "../avx2.h"

// As in single precision, but that pairs of B are widened on the way.
enum { mr = 6, vectors = 2, reads_b_again = 0, rows_ahead = 0, prefetch_period = 4, prefetch_locality = 3, parts = 2 };

#define TARGET AVX2
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps(a, b, c)

#include "../micro_kernel.h"

TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6)

ROUNDED_KERNEL(
    vit_gemm_avx2_bf16, vit_bf16_kc, 2, vit_round_a_to_wide_bfloat16, vit_round_b_to_bfloat16,
    vit_pack_rows_as_wide_bfloat16, vit_pack_rows_as_bfloat16,
    {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6},
    {packed_tile_1, packed_tile_2, packed_tile_3, packed_tile_4, packed_tile_5, packed_tile_6})

#endif
