#include "internal.h"

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
