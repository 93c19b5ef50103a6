#include "ood/members.h"

#include <math.h>

#include "ood/planes.h"

dn_status dn__member_planes(double *p, const dn_score_block *in, dn_workspace *space)
{
    const size_t plane = in->classes * in->rows, mark = dn_workspace_mark(space);
    for (size_t i = 0; i < in->members * plane; i++) p[i] = 0.0;
    for (size_t e = 0; e < in->members; e++) {
        const dn_score_rows *member = &in->member[e];
        dn__softmax_planes s;
        DN_TRY(dn__softmax_of(&s, member, 1.0, space));
        for (size_t k = 0; k < member->columns; k++) {
            dn__softmax_column(p + e * plane + (size_t)member->classes[k] * in->rows, &s, k);
        }
        dn_workspace_release(space, mark);
    }
    return DN_OK;
}

void dn__planes_mean(double *mean, const double *p, size_t members, size_t plane)
{
    for (size_t i = 0; i < plane; i++) mean[i] = p[i];
    for (size_t e = 1; e < members; e++) {
        for (size_t i = 0; i < plane; i++) mean[i] += p[e * plane + i];
    }
    for (size_t i = 0; i < plane; i++) mean[i] /= (double)members;
}

dn_status dn__mean_planes(double *mean, const dn_score_block *in, dn_workspace *space)
{
    const size_t plane = in->classes * in->rows, mark = dn_workspace_mark(space);
    double *p = dn_workspace_doubles(space, in->members * plane);
    if (!p) return DN_ERROR_MEMORY;
    DN_TRY(dn__member_planes(p, in, space));
    dn__planes_mean(mean, p, in->members, plane);
    dn_workspace_release(space, mark);
    return DN_OK;
}

dn_status dn__mean_probabilities(double *mean, const dn_score_block *in, dn_workspace *space)
{
    const size_t mark = dn_workspace_mark(space);
    double *planes = dn_workspace_doubles(space, in->classes * in->rows);
    if (!planes) return DN_ERROR_MEMORY;
    DN_TRY(dn__mean_planes(planes, in, space));
    dn__transpose(mean, planes, in->classes, in->rows);
    dn_workspace_release(space, mark);
    return DN_OK;
}

/** ln softmax(z_e) of every member, minus infinity at the classes that it leaves out.
 *  @param l [members, classes, rows] */
static dn_status member_log_planes(double *l, const dn_score_block *in, dn_workspace *space)
{
    const size_t plane = in->classes * in->rows, mark = dn_workspace_mark(space);
    for (size_t i = 0; i < in->members * plane; i++) l[i] = -INFINITY;
    for (size_t e = 0; e < in->members; e++) {
        const dn_score_rows *member = &in->member[e];
        dn__softmax_planes s;
        DN_TRY(dn__softmax_of(&s, member, 1.0, space));
        for (size_t k = 0; k < member->columns; k++) {
            dn__softmax_log_column(l + e * plane + (size_t)member->classes[k] * in->rows, &s, k);
        }
        dn_workspace_release(space, mark);
    }
    return DN_OK;
}

dn_status dn__log_mean_probabilities(double *l, const dn_score_block *in, dn_workspace *space)
{
    const size_t n = in->rows, plane = in->classes * n, mark = dn_workspace_mark(space);
    double *planes = dn_workspace_doubles(space, (in->members + 1) * plane);
    if (!planes) return DN_ERROR_MEMORY;
    double *mean = planes + in->members * plane;
    DN_TRY(member_log_planes(planes, in, space));
    DN_TRY(dn__planes_log_mean(mean, planes, in->members, plane, space));
    DN_TRY(dn__planes_sharpen_log(mean, in->classes, n, space));
    dn__transpose(l, mean, in->classes, n);
    dn_workspace_release(space, mark);
    return DN_OK;
}
