#include "apps/recipe_schema.h"

#include <stddef.h>
#include <string.h>

#include "apps/recipe.h"

/* Every field is there when libcyaml loads, because defaults are filled in before. */
enum { MOST_ENTRIES = 1000 };

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof(array)[0])
#define FLAGS        CYAML_FLAG_DEFAULT
#define POINTER      CYAML_FLAG_POINTER

#define TEXT(type, member)            CYAML_FIELD_STRING_PTR(#member, POINTER, type, member, 0, CYAML_UNLIMITED)
#define INTEGER(type, member)         CYAML_FIELD_INT(#member, FLAGS, type, member)
#define NUMBER(type, member)          CYAML_FIELD_FLOAT(#member, FLAGS, type, member)
#define SWITCH(type, member)          CYAML_FIELD_BOOL(#member, FLAGS, type, member)
#define CHOICE(type, member, names)   CYAML_FIELD_ENUM(#member, CYAML_FLAG_STRICT, type, member, names, COUNT(names))
#define SECTION(type, member, fields) CYAML_FIELD_MAPPING(#member, FLAGS, type, member, fields)
#define LIST(type, member, n_member, schema) \
    CYAML_FIELD_SEQUENCE_COUNT(#member, POINTER, type, member, n_member, schema, 0, MOST_ENTRIES)

static const cyaml_schema_value_t text_schema = {CYAML_VALUE_STRING(POINTER, char, 0, CYAML_UNLIMITED)};
static const cyaml_schema_value_t number_schema = {CYAML_VALUE_FLOAT(FLAGS, double)};

static const cyaml_strval_t prepare_names[] = {{"standardize", DN_PREPARE_STANDARDIZE},
                                               {"normalize", DN_PREPARE_NORMALIZE},
                                               {"crop", DN_PREPARE_CROP},
                                               {"flip", DN_PREPARE_FLIP}};
static const cyaml_schema_value_t prepare_schema = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, dn_prepare_step, prepare_names, COUNT(prepare_names))};

static const cyaml_schema_field_t data_fields[] = {
    TEXT(dn_recipe_data, train),
    TEXT(dn_recipe_data, test),
    LIST(dn_recipe_data, ood, n_ood, &text_schema),
    LIST(dn_recipe_data, prepare, n_prepare, &prepare_schema),
    LIST(dn_recipe_data, mean, n_mean, &number_schema),
    LIST(dn_recipe_data, deviation, n_deviation, &number_schema),
    INTEGER(dn_recipe_data, crop_padding),
    INTEGER(dn_recipe_data, crop_choices),
    SWITCH(dn_recipe_data, replace),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t model_fields[] = {
    TEXT(dn_recipe_model, name),     NUMBER(dn_recipe_model, dropout),  INTEGER(dn_recipe_model, width),
    INTEGER(dn_recipe_model, depth), INTEGER(dn_recipe_model, outputs), CYAML_FIELD_END,
};

static const cyaml_strval_t ensemble_names[] = {
    {"deep", DN_ENSEMBLE_DEEP}, {"mi", DN_ENSEMBLE_MI}, {"leave_out", DN_ENSEMBLE_LEAVE_OUT}};
static const cyaml_schema_field_t ensemble_fields[] = {
    CHOICE(dn_recipe_ensemble, kind, ensemble_names),
    INTEGER(dn_recipe_ensemble, members),
    CYAML_FIELD_END,
};

static const cyaml_strval_t source_names[] = {{"patch_shuffle", DN_SOURCE_PATCH_SHUFFLE},
                                              {"train", DN_SOURCE_TRAIN},
                                              {"uniform", DN_SOURCE_UNIFORM},
                                              {"gaussian", DN_SOURCE_GAUSSIAN},
                                              {"data", DN_SOURCE_DATA}};
static const cyaml_schema_field_t source_fields[] = {
    CHOICE(dn_recipe_source, kind, source_names),
    INTEGER(dn_recipe_source, patch),
    TEXT(dn_recipe_source, data),
    NUMBER(dn_recipe_source, alpha),
    INTEGER(dn_recipe_source, redraw_every),
    SWITCH(dn_recipe_source, stop_norm_gradient),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t source_schema = {CYAML_VALUE_MAPPING(FLAGS, dn_recipe_source, source_fields)};

static const cyaml_schema_field_t switch_fields[] = {
    INTEGER(dn_recipe_switch, step),
    INTEGER(dn_recipe_switch, source),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t switch_schema = {CYAML_VALUE_MAPPING(FLAGS, dn_recipe_switch, switch_fields)};

static const cyaml_schema_field_t mi_fields[] = {
    INTEGER(dn_recipe_mi, batch),
    LIST(dn_recipe_mi, sources, n_sources, &source_schema),
    LIST(dn_recipe_mi, switches, n_switches, &switch_schema),
    INTEGER(dn_recipe_mi, period),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t leave_out_fields[] = {
    NUMBER(dn_recipe_leave_out, beta),
    NUMBER(dn_recipe_leave_out, margin),
    INTEGER(dn_recipe_leave_out, batch),
    INTEGER(dn_recipe_leave_out, split_seed),
    CYAML_FIELD_END,
};

static const cyaml_strval_t shape_names[] = {
    {"hold", DN_RATE_HOLD}, {"linear", DN_RATE_LINEAR}, {"cosine", DN_RATE_COSINE}};
static const cyaml_schema_field_t rate_fields[] = {
    NUMBER(dn_recipe_rate, epoch),
    INTEGER(dn_recipe_rate, step),
    NUMBER(dn_recipe_rate, rate),
    CHOICE(dn_recipe_rate, shape, shape_names),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t rate_schema = {CYAML_VALUE_MAPPING(FLAGS, dn_recipe_rate, rate_fields)};

static const cyaml_strval_t optimizer_names[] = {{"adam", DN_OPTIMIZER_ADAM}, {"sgd", DN_OPTIMIZER_SGD}};
static const cyaml_schema_field_t optimizer_fields[] = {
    CHOICE(dn_recipe_optimizer, kind, optimizer_names),
    NUMBER(dn_recipe_optimizer, rate),
    LIST(dn_recipe_optimizer, schedule, n_schedule, &rate_schema),
    LIST(dn_recipe_optimizer, member_rates, n_member_rates, &number_schema),
    NUMBER(dn_recipe_optimizer, beta1),
    NUMBER(dn_recipe_optimizer, beta2),
    NUMBER(dn_recipe_optimizer, epsilon),
    NUMBER(dn_recipe_optimizer, momentum),
    SWITCH(dn_recipe_optimizer, nesterov),
    NUMBER(dn_recipe_optimizer, weight_decay),
    NUMBER(dn_recipe_optimizer, l2),
    CYAML_FIELD_END,
};

static const cyaml_strval_t precision_names[] = {
    {"f32", DN_PRECISION_F32}, {"tf32", DN_PRECISION_TF32}, {"bf16", DN_PRECISION_BF16}};
static const cyaml_schema_field_t train_fields[] = {
    INTEGER(dn_recipe_train, batch),
    NUMBER(dn_recipe_train, epochs),
    INTEGER(dn_recipe_train, steps),
    CHOICE(dn_recipe_train, precision, precision_names),
    CYAML_FIELD_UINT("seed", FLAGS, dn_recipe_train, seed),
    INTEGER(dn_recipe_train, checkpoint_every),
    INTEGER(dn_recipe_train, limit),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t recipe_fields[] = {
    TEXT(dn_recipe, name),
    TEXT(dn_recipe, description),
    SECTION(dn_recipe, data, data_fields),
    SECTION(dn_recipe, model, model_fields),
    SECTION(dn_recipe, ensemble, ensemble_fields),
    SECTION(dn_recipe, mi, mi_fields),
    SECTION(dn_recipe, leave_out, leave_out_fields),
    SECTION(dn_recipe, optimizer, optimizer_fields),
    SECTION(dn_recipe, train, train_fields),
    CYAML_FIELD_END,
};

const cyaml_schema_value_t dn__recipe_schema = {CYAML_VALUE_MAPPING(POINTER, dn_recipe, recipe_fields)};

const cyaml_schema_field_t *dn__recipe_field(const cyaml_schema_value_t *mapping, const char *key)
{
    for (const cyaml_schema_field_t *field = mapping->mapping.fields; field->key; field++) {
        if (!strcmp(field->key, key)) return field;
    }
    return NULL;
}
