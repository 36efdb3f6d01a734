#include "../vector128.h"

// As in single precision, but that pairs of B are widened on the way: once where there are registers for that.
#if defined(__aarch64__)
enum { mr = 6, reads_b_again = 0 };
#else
enum { mr = 3, reads_b_again = 1 };
#endif
enum { vectors = 4, rows_ahead = 0, prefetch_period = 4, prefetch_locality = 3, parts = 2 };

#define TARGET
// Products of two are exact in single precision: it does not matter whether multiplying and adding is one instruction.
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))

#include "../micro_kernel.h"

TILES(1) TILES(2) TILES(3)
#if defined(__aarch64__)
TILES(4) TILES(5) TILES(6)
#define TILES_OF_MR                                  \
    {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6}, \
    {packed_tile_1, packed_tile_2, packed_tile_3, packed_tile_4, packed_tile_5, packed_tile_6}
#else
#define TILES_OF_MR {tile_1, tile_2, tile_3}, {packed_tile_1, packed_tile_2, packed_tile_3}
#endif

ROUNDED_KERNEL(
    vit_gemm_portable_bf16, vit_bf16_kc, 2, vit_round_a_to_wide_bfloat16, vit_round_b_to_bfloat16,
    vit_pack_rows_as_wide_bfloat16, vit_pack_rows_as_bfloat16, TILES_OF_MR)
