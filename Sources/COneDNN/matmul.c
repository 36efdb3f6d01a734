#include <stdlib.h>
#include <string.h>

#include "internal.h"

static dnnl_status_t append_scale(dnnl_post_ops_t ops, float scale) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_linear, scale, 0.f);
#else
    return dnnl_post_ops_append_eltwise(ops, 1.f, dnnl_eltwise_linear, scale, 0.f);
#endif
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_sum(ops, 1.f, 0, dnnl_data_type_undef);
#else
    return dnnl_post_ops_append_sum(ops, 1.f);
#endif
}

// Appends what comes after the product and notes at which places the two binary operations stand (-1: absent).
static dnnl_status_t append_post_ops(
    dnnl_post_ops_t ops, const vit_matmul_shape *shape, int *column_scale_at, int *residual_at) {
    dnnl_status_t status = dnnl_success;
    int place = 0;
    *column_scale_at = *residual_at = -1;
    if (shape->scale != 1.f && !shape->has_bias) {
        status = append_scale(ops, shape->scale);
        place++;
    }
    if (status == dnnl_success && shape->has_column_scale) {
        vit_desc desc;
        status = vit_desc_strided(&desc, 1, shape->columns, shape->columns, 1);
        if (status == dnnl_success) {
            status = dnnl_post_ops_append_binary(ops, dnnl_binary_mul, DESC_REF(desc));
            vit_desc_free(&desc);
        }
        *column_scale_at = place++;
    }
    if (status == dnnl_success && shape->has_residual) {
        vit_desc desc;
        status = vit_desc_strided(&desc, shape->rows, shape->columns, shape->residual_row_stride, 1);
        if (status == dnnl_success) {
            status = dnnl_post_ops_append_binary(ops, dnnl_binary_add, DESC_REF(desc));
            vit_desc_free(&desc);
        }
        *residual_at = place++;
    }
    if (status == dnnl_success && shape->accumulates) status = append_sum(ops);
    return status;
}

static dnnl_status_t describe(
    dnnl_primitive_desc_t *description, const vit_matmul_shape *shape, const vit_primitive *packed_like,
    dnnl_primitive_attr_t attributes, vit_desc descs[4]) {
    TRY(vit_desc_strided(&descs[0], shape->rows, shape->inner, shape->a_row_stride, shape->a_column_stride));
    if (packed_like) TRY(vit_desc_copy(&descs[1], DESC_REF(packed_like->argument_descs[vit_slot_b])));
    else if (shape->packs_b) TRY(vit_desc_any(&descs[1], shape->inner, shape->columns));
    else TRY(vit_desc_strided(&descs[1], shape->inner, shape->columns, shape->b_row_stride, shape->b_column_stride));
    TRY(vit_desc_strided(&descs[2], shape->rows, shape->columns, shape->c_row_stride, 1));
    if (shape->has_bias) TRY(vit_desc_strided(&descs[3], 1, shape->columns, shape->columns, 1));
    vit_desc_ref bias = shape->has_bias ? DESC_REF(descs[3]) : NULL;
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_matmul_primitive_desc_create(
        description, vit_engine(), descs[0], descs[1], bias, descs[2], attributes);
#else
    dnnl_matmul_desc_t operation;
    TRY(dnnl_matmul_desc_init(&operation, &descs[0], &descs[1], bias, &descs[2]));
    return dnnl_primitive_desc_create(description, &operation, attributes, vit_engine(), NULL);
#endif
}

int vit_matmul_create(
    vit_primitive **primitive, const vit_matmul_shape *shape, const vit_primitive *packed_like) {
    if (shape->scale != 1.f && shape->has_bias) return dnnl_invalid_arguments;
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t ops;
    int column_scale_at, residual_at;
    TRY(vit_attributes(&attributes));
    dnnl_status_t status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success) {
        status = append_post_ops(ops, shape, &column_scale_at, &residual_at);
        if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, ops);
        dnnl_post_ops_destroy(ops);
    }
    dnnl_primitive_desc_t description = NULL;
    vit_desc descs[4];
    memset(descs, 0, sizeof descs);
    if (status == dnnl_success) status = (dnnl_status_t)describe(&description, shape, packed_like, attributes, descs);
    for (int i = 0; i < 4; i++) vit_desc_free(&descs[i]);
    dnnl_primitive_attr_destroy(attributes);
    if (status != dnnl_success) return (int)status;

    vit_argument arguments[] = {{DNNL_ARG_SRC, NULL}, {DNNL_ARG_WEIGHTS, NULL}, {DNNL_ARG_DST, NULL},
                                {DNNL_ARG_BIAS, NULL}, {0, NULL},               {0, NULL}};
    const int places[2] = {column_scale_at, residual_at};
    for (int i = 0; i < 2; i++)
        arguments[4 + i].id = DNNL_ARG_ATTR_MULTIPLE_POST_OP(places[i] < 0 ? 0 : places[i]) | DNNL_ARG_SRC_1;
    status = (dnnl_status_t)vit_primitive_finish(primitive, description, 6, arguments);
    if (status != dnnl_success) return (int)status;
    (*primitive)->inner = shape->inner;
    (*primitive)->columns = shape->columns;
    return 0;
}

int vit_matmul_run(const vit_primitive *primitive, vit_context *context, const vit_matmul_arguments *arguments) {
    void *const pointers[] = {
        (void *)arguments->a,    (void *)arguments->b,            arguments->c,
        (void *)arguments->bias, (void *)arguments->column_scale, (void *)arguments->residual,
    };
    return vit_primitive_run(primitive, context, pointers);
}

size_t vit_packed_size(const vit_primitive *primitive) {
    return dnnl_memory_desc_get_size(DESC_REF(primitive->argument_descs[vit_slot_b]));
}

int vit_pack(
    const vit_primitive *primitive, vit_context *context, const float *b, int64_t row_stride, int64_t column_stride,
    void *packed) {
    dnnl_primitive_attr_t attributes;
    dnnl_primitive_desc_t description = NULL;
    vit_primitive *reorder = NULL;
    vit_desc plain;
    memset(&plain, 0, sizeof plain);
    TRY(vit_desc_strided(&plain, primitive->inner, primitive->columns, row_stride, column_stride));
    TRY(vit_attributes(&attributes));
    int status = (int)dnnl_reorder_primitive_desc_create(
        &description, DESC_REF(plain), vit_engine(), DESC_REF(primitive->argument_descs[vit_slot_b]), vit_engine(), attributes);
    dnnl_primitive_attr_destroy(attributes);
    if (status != 0) {
        vit_desc_free(&plain);
        return status;
    }
    const vit_argument arguments[] = {
        {DNNL_ARG_FROM, DESC_REF(plain)}, {DNNL_ARG_TO, DESC_REF(primitive->argument_descs[vit_slot_b])}};
    status = vit_primitive_finish(&reorder, description, 2, arguments);
    vit_desc_free(&plain);
    if (status != 0) return status;
    void *const pointers[] = {(void *)b, packed};
    status = vit_primitive_run(reorder, context, pointers);
    vit_primitive_destroy(reorder);
    return status;
}
