/** The subcommands of `dunlin`. A new one is a file apps/cmd_NAME.c with `int dn_cmd_NAME(int argc, char **argv)` and a
 *  row here, in the order of --help. The function gets its own arguments (argv[0] is "dunlin NAME") and returns the
 *  exit code. */
#ifndef DN_APPS_COMMANDS_H
#define DN_APPS_COMMANDS_H

#define DN_COMMANDS(ROW)                                                   \
    ROW(train, "train an ensemble by a recipe")                            \
    ROW(evaluate, "accuracy, and how well scores tell unknown data")       \
    ROW(metrics, "AUROC, FPR95, calibration and more from arrays")         \
    ROW(predict, "class, score, accept or reject for each image")          \
    ROW(compare, "several runs side by side, as a table and as a picture") \
    ROW(report, "all that runs have shown, as one HTML page")              \
    ROW(score, "scores of any framework's logits and features")            \
    ROW(data, "data sets: list, fetch, describe, pack")                    \
    ROW(reproduce, "published experiments, beside their figures")          \
    ROW(import, "a trained network of Keras becomes a run")                \
    ROW(devices, "list what can be trained on")                            \
    ROW(bench, "time a training step, op by op or beside other software")

#define DN_DECLARE_COMMAND(name, help) int dn_cmd_##name(int argc, char **argv);
DN_COMMANDS(DN_DECLARE_COMMAND)
#undef DN_DECLARE_COMMAND

#endif
