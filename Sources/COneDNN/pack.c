// Packing a linear layer's weight: a transposition in tiles. oneDNN's own reorder takes up to twenty times as long where
// rows lie a power of two apart.
#include <string.h>

#include "internal.h"

enum { tile_rows = 16 };

int64_t vit_packed_block_width(const vit_primitive *primitive) {
    static const struct {
        dnnl_format_tag_t tag;
        int64_t width;
    } layouts[] = {{dnnl_BA16a64b, 64}, {dnnl_BA16a48b, 48}, {dnnl_BA16a32b, 32}, {dnnl_BA16a16b, 16}};
    const dnnl_dims_t dims = {primitive->inner, primitive->columns};
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        vit_desc desc;
#if DNNL_VERSION_MAJOR >= 3
        if (dnnl_memory_desc_create_with_tag(&desc, 2, dims, dnnl_f32, layouts[i].tag) != dnnl_success) continue;
#else
        if (dnnl_memory_desc_init_by_tag(&desc, 2, dims, dnnl_f32, layouts[i].tag) != dnnl_success) continue;
#endif
        const int same = dnnl_memory_desc_equal(DESC_REF(desc), DESC_REF(primitive->argument_descs[vit_slot_b]));
        vit_desc_free(&desc);
        if (same) return layouts[i].width;
    }
    return 0;
}

void vit_pack_block(
    const float *weight, int64_t inner, int64_t columns, int64_t width, int64_t block, float *packed) {
    const int64_t tiles = (inner + tile_rows - 1) / tile_rows;
    const int64_t first = block * width;
    const int64_t present = columns - first < width ? columns - first : width;
    float *tile = packed + block * tiles * tile_rows * width;
    for (int64_t row = 0; row < inner; row += tile_rows, tile += tile_rows * width) {
        const int64_t depth = inner - row < tile_rows ? inner - row : tile_rows;
        if (depth < tile_rows || present < width) memset(tile, 0, sizeof(float) * tile_rows * width);
        for (int64_t column = 0; column < present; column++) {
            const float *source = weight + (first + column) * inner + row;
            for (int64_t i = 0; i < depth; i++) tile[i * width + column] = source[i];
        }
    }
}
