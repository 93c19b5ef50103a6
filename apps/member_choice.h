/** Choosing each member's epoch while an ensemble is trained, by images that take no part in its figures. */
#ifndef DN_APPS_MEMBER_CHOICE_H
#define DN_APPS_MEMBER_CHOICE_H

#include "apps/checkpoint.h"
#include "apps/step_table.h"
#include "datasets/dataset.h"

enum { DN_CHOICE_MEMBERS = 5 };

/** Chooses each member's best epoch: the first of the highest AUROC of its largest probability, of known test images
 *  against unknown ones. Its figures are in a CSV file, one row an epoch, one column a member; the heading
 *  names the unknown set. */
typedef struct dn_member_choice {
    const char *run, *path; /**< the folder, the CSV file */
    const char *data_dir;
    const char *id, *ood;           /**< expressions */
    uint32_t permutation;           /**< seed of NumPy's permutation, whose first rows are taken of either set */
    int rows;                       /**< how many */
    dn_dataset *known, *unknown;    /**< opened when they are first needed */
    char *names[DN_CHOICE_MEMBERS]; /**< of the columns */
    dn_step_table table;
    bool open;
} dn_member_choice;

/** For dn_training_options.on_checkpoint: looks at multiples of the recipe's train.checkpoint_every. Going on with a
 *  run that was broken off it goes on with what is in the file. @param choice a dn_member_choice, open or not
 *  @return DN_ERROR_ARGUMENT for more members than DN_CHOICE_MEMBERS */
dn_status dn_member_choice_look(void *choice, const dn_network *network, const dn_history *history);

/** Reads what the file holds. @param last up to this step
 *  @return DN_ERROR_FORMAT if another set chose so far */
dn_status dn_member_choice_open(dn_member_choice *choice, int64_t last) DN_NODISCARD;
void dn_member_choice_close(dn_member_choice *choice);

/** @return the row of the member's best epoch; choice->table.rows: there is none */
size_t dn_member_choice_best(const dn_member_choice *choice, int member);

/** Which rows of a set chose. @param chose [rows] 1 if the row is one of the first `chosen` of NumPy's
 *  RandomState(seed).permutation(of), else 0; a row from `of` on never is */
dn_status dn_rows_that_chose(uint8_t *chose, size_t rows, int of, int chosen, uint32_t seed) DN_NODISCARD;

#endif
