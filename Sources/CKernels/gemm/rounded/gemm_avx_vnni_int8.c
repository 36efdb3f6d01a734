#if defined(__x86_64__)
#include "../avx2.h"

// As in single precision, but that a step multiplies and adds words of four numbers, those of A without a sign.
enum { mr = 6, vectors = 2, reads_b_again = 0, rows_ahead = 0, prefetch_period = 4, prefetch_locality = 3, parts = 1 };

#define TARGET __attribute__((target("avx2,fma,avxvnni")))
#define MULTIPLY_ADD(a, b, c) ((vector)_mm256_dpbusd_avx_epi32((__m256i)(c), (__m256i)(a), (__m256i)(b)))
#define A_OFFSET 128

#include "../micro_kernel.h"

TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)

ROUNDED_KERNEL(
    vit_gemm_avx_vnni_int8, VIT_INT8_KC, 4, vit_round_a_to_offset_int8, vit_round_b_to_int8,
    NULL, NULL,
    {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6})

#endif
