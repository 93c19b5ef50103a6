/* JPEG by libjpeg-turbo, with its exact DCT and smooth upsampling: the same bytes as Pillow's. */
#include <limits.h>
#include <turbojpeg.h>

#include "core/alloc.h"
#include "datasets/image_private.h"

/* Warnings are errors: what the library only warns of is missing or wrong data. The limit is on scans of progressive
 * files, each of which costs a pass over all pixels however few bytes it has. */
enum { FLAGS = TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS };

static dn_status damaged(tjhandle jpeg)
{
    return dn_fail(DN_ERROR_FORMAT, "a damaged JPEG, or a rare kind of it: %s", tjGetErrorStr2(jpeg));
}

static dn_status decode(dn_image *out, const dn__image_source *from, tjhandle jpeg)
{
    int width = 0, height = 0, sampling = 0, space = 0;
    if (tjDecompressHeader3(jpeg, from->bytes, from->n, &width, &height, &sampling, &space) != 0) return damaged(jpeg);
    if (space == TJCS_CMYK || space == TJCS_YCCK)
        return dn_fail(DN_ERROR_UNSUPPORTED, "a JPEG in CMYK, the inks of a printer; save it in RGB");
    const bool gray = space == TJCS_GRAY;
    DN_TRY(dn__image_allocate(out, from, (uint32_t)height, (uint32_t)width, gray ? 1 : 3));
    const int orientation = dn__jpeg_orientation(from->bytes, from->n);
    if (orientation) *from->orientation = orientation;
    if (from->header_only) return DN_OK;
    if (tjDecompress2(jpeg, from->bytes, from->n, out->pixels, width, 0, height, gray ? TJPF_GRAY : TJPF_RGB, FLAGS))
        return damaged(jpeg);
    return DN_OK;
}

dn_status dn__jpeg_decode(dn_image *out, const dn__image_source *from)
{
    tjhandle jpeg = tjInitDecompress();
    if (!jpeg) return dn_fail(DN_ERROR_MEMORY, "libjpeg-turbo did not start: %s", tjGetErrorStr2(NULL));
    const dn_status status = decode(out, from, jpeg);
    tjDestroy(jpeg);
    return status;
}
