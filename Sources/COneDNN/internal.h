// What the files of this folder share: a compiled primitive, a thread's context, and what differs between oneDNN 2 and 3.
#ifndef VIT_ONEDNN_INTERNAL_H
#define VIT_ONEDNN_INTERNAL_H

#include <oneapi/dnnl/dnnl.h>

#include "onednn.h"

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t vit_desc;
typedef const_dnnl_memory_desc_t vit_desc_ref;
#define DESC_REF(desc) (desc)
#else
typedef dnnl_memory_desc_t vit_desc;
typedef const dnnl_memory_desc_t *vit_desc_ref;
#define DESC_REF(desc) (&(desc))
#endif

enum { vit_max_arguments = 12 };

// Where B stands among a matmul's arguments.
enum { vit_slot_b = 1 };

struct vit_primitive {
    dnnl_primitive_t primitive;
    const_dnnl_primitive_desc_t description;  // owned by the primitive
    size_t scratch_size;
    int64_t inner, columns;  // of a matmul, to describe B before it is packed
    int argument_count;
    int argument_ids[vit_max_arguments];
    vit_desc argument_descs[vit_max_arguments];
};

#define TRY(call)                                   \
    do {                                            \
        dnnl_status_t try_status = (call);          \
        if (try_status != dnnl_success) return (int)try_status; \
    } while (0)

dnnl_engine_t vit_engine(void);

dnnl_status_t vit_desc_strided(vit_desc *desc, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride);
dnnl_status_t vit_desc_any(vit_desc *desc, int64_t rows, int64_t columns);
dnnl_status_t vit_desc_copy(vit_desc *desc, vit_desc_ref other);
void vit_desc_free(vit_desc *desc);

// Attributes with the scratchpad in the caller's hands: a primitive may then run on any thread.
dnnl_status_t vit_attributes(dnnl_primitive_attr_t *attributes);

// What a primitive is called with: which argument, and its layout; no layout: what the primitive chose for it.
typedef struct {
    int id;
    vit_desc_ref desc;
} vit_argument;

// Makes the primitive and notes its arguments' layouts; takes `description` over.
int vit_primitive_finish(
    vit_primitive **result, dnnl_primitive_desc_t description, int count, const vit_argument *arguments);

// Runs with pointers in the order of the arguments' ids; a null pointer leaves its argument out.
int vit_primitive_run(const vit_primitive *primitive, vit_context *context, void *const *pointers);

#endif
