/** Errors as values.
 *
 * Every function that can fail returns a dn_status. The text that a user can act on is kept per thread and is read
 * with dn_error_last(). Only apps/ prints and exits.
 */
#ifndef DN_CORE_STATUS_H
#define DN_CORE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dn_status {
    DN_OK = 0,
    DN_ERROR_ARGUMENT = -1,    /**< the caller asked for something that makes no sense */
    DN_ERROR_SHAPE = -2,       /**< shapes or types that do not fit together */
    DN_ERROR_MEMORY = -3,      /**< not enough memory */
    DN_ERROR_FILE = -4,        /**< a file cannot be opened, read or written */
    DN_ERROR_FORMAT = -5,      /**< a file holds something else than it should */
    DN_ERROR_UNSUPPORTED = -6, /**< this build or this device cannot do it */
    DN_ERROR_NUMERIC = -7,     /**< NaN or infinity where a finite number is needed */
    DN_ERROR_INTERRUPTED = -8, /**< stopped by the user */
    DN_ERROR_INTERNAL = -9     /**< a bug in Dunlin */
} dn_status;

#if defined(__GNUC__)
#define DN_PRINTF(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))
#define DN_NODISCARD                            __attribute__((warn_unused_result))
#else
#define DN_PRINTF(format_index, first_argument)
#define DN_NODISCARD
#endif

/** Keeps the text (printf style) as this thread's last error. @return `code`: `return dn_fail(...)` reads well */
dn_status dn_fail(dn_status code, const char *format, ...) DN_PRINTF(2, 3);

/** Puts "text: " (printf style) before the last error's text, for a caller that knows more. @return `code` */
dn_status dn_fail_context(dn_status code, const char *format, ...) DN_PRINTF(2, 3);

/** @return the text of this thread's last error, never NULL; valid until the thread's next failure */
const char *dn_error_last(void);

/** @return a word for the code, such as "wrong shape" */
const char *dn_status_name(dn_status code);

/** Leaves the function with the status of `call` if it failed. */
#define DN_TRY(call)                                      \
    do {                                                  \
        const dn_status dn_try_status = (call);           \
        if (dn_try_status != DN_OK) return dn_try_status; \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
