/* Sizes and digests are the published ones: SHA-256 of mnist, fashion_mnist, cifar10, cifar100, svhn and dtd from the
 * checksum lists of TensorFlow Datasets; of tiny_imagenet_200 from several independent projects (the MD5
 * 90528d7ca1a48142e341f4ef8d21d0de is as common); the MD5 of ODIN's archives from pytorch-ood. Those of notmnist were
 * taken from the files themselves. A set of which no digest is known has no row. */
#include "datasets/fetch/catalogue.h"

#include <stdio.h>
#include <string.h>

#include "core/nearest.h"

#define MNIST(file)                                                                                      \
    {                                                                                                    \
        "http://yann.lecun.com/exdb/mnist/" file, "https://ossci-datasets.s3.amazonaws.com/mnist/" file, \
            "https://storage.googleapis.com/cvdf-datasets/mnist/" file                                   \
    }
#define FASHION(file)                                                                        \
    {                                                                                        \
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/" file,                  \
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/" file \
    }
#define NOTMNIST(file)                                                        \
    {                                                                         \
        "https://github.com/davidflanagan/notMNIST-to-MNIST/raw/master/" file \
    }
#define SVHN(file)                                     \
    {                                                  \
        "http://ufldl.stanford.edu/housenumbers/" file \
    }
#define ODIN(file)                                \
    {                                             \
        "https://www.dropbox.com/s/" file "?dl=1" \
    }

/* clang-format off */
static const dn_fetch_set catalogue[] = {
    {"mnist", "CC BY-SA 3.0", {
        {"mnist/train-images-idx3-ubyte.gz", MNIST("train-images-idx3-ubyte.gz"), 9912422,
         "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", NULL, NULL, {NULL}},
        {"mnist/train-labels-idx1-ubyte.gz", MNIST("train-labels-idx1-ubyte.gz"), 28881,
         "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", NULL, NULL, {NULL}},
        {"mnist/t10k-images-idx3-ubyte.gz", MNIST("t10k-images-idx3-ubyte.gz"), 1648877,
         "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", NULL, NULL, {NULL}},
        {"mnist/t10k-labels-idx1-ubyte.gz", MNIST("t10k-labels-idx1-ubyte.gz"), 4542,
         "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", NULL, NULL, {NULL}}}},
    {"fashion_mnist", "MIT", {
        {"fashion_mnist/train-images-idx3-ubyte.gz", FASHION("train-images-idx3-ubyte.gz"), 26421880,
         "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", NULL, NULL, {NULL}},
        {"fashion_mnist/train-labels-idx1-ubyte.gz", FASHION("train-labels-idx1-ubyte.gz"), 29515,
         "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", NULL, NULL, {NULL}},
        {"fashion_mnist/t10k-images-idx3-ubyte.gz", FASHION("t10k-images-idx3-ubyte.gz"), 4422102,
         "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", NULL, NULL, {NULL}},
        {"fashion_mnist/t10k-labels-idx1-ubyte.gz", FASHION("t10k-labels-idx1-ubyte.gz"), 5148,
         "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", NULL, NULL, {NULL}}}},
    {"notmnist", "none stated; posted with the author's permission", {
        {"notmnist/t10k-images-idx3-ubyte.gz", NOTMNIST("t10k-images-idx3-ubyte.gz"), 3172375,
         "70ae9e06201f2827e5b0a3781a3169d735dd2efc69996b9eeaee7f10ed4044d7", NULL, NULL, {NULL}},
        {"notmnist/t10k-labels-idx1-ubyte.gz", NOTMNIST("t10k-labels-idx1-ubyte.gz"), 5118,
         "1fa03836e01c862542f8eb83463bb951bebec6fcb3efa28dad748c6b38a9021b", NULL, NULL, {NULL}}}},
    {"cifar10", "none stated; cite Krizhevsky 2009", {
        {"cifar-10-binary.tar.gz", {"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"}, 170052171,
         "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", NULL, "cifar-10-batches-bin",
         {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin",
          "test_batch.bin"}}}},
    {"cifar100", "none stated; cite Krizhevsky 2009", {
        {"cifar-100-binary.tar.gz", {"https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"}, 168513733,
         "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec", NULL, "cifar-100-binary",
         {"train.bin", "test.bin"}}}},
    {"svhn", "non-commercial use only", {
        {"svhn/train_32x32.mat", SVHN("train_32x32.mat"), 182040794,
         "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8", NULL, NULL, {NULL}},
        {"svhn/test_32x32.mat", SVHN("test_32x32.mat"), 64275384,
         "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b", NULL, NULL, {NULL}}}},
    {"svhn_extra", "non-commercial use only", {
        {"svhn/extra_32x32.mat", SVHN("extra_32x32.mat"), 1329278602,
         "a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3", NULL, NULL, {NULL}}}},
    {"tiny_imagenet_odin", "as ImageNet: non-commercial research", { /* ODIN's crops and resized images */
        {"Imagenet.tar.gz", ODIN("avgm2u562itwpkl/Imagenet.tar.gz"), 0,
         NULL, "7c0827e4246c3718a5ee076e999e52e5", "Imagenet", {"test"}},
        {"Imagenet_resize.tar.gz", ODIN("kp3my3412u5k9rl/Imagenet_resize.tar.gz"), 0,
         NULL, "0f9ff11d45babf2eff5fe12281d1ac31", "Imagenet_resize", {"Imagenet_resize"}}}},
    {"lsun", "none stated", { /* ODIN's */
        {"LSUN.tar.gz", ODIN("fhtsw1m3qxlwj6h/LSUN.tar.gz"), 0,
         NULL, "458a0a0ab8e5f1cb4516d7400568e460", "LSUN", {"test"}},
        {"LSUN_resize.tar.gz", ODIN("moqh2wh8696c3yl/LSUN_resize.tar.gz"), 0,
         NULL, "278b7b31c8cb7e804a1465a8ce03a2dc", "LSUN_resize", {"LSUN_resize"}}}},
    {"isun", "none stated", { /* ODIN's */
        {"iSUN.tar.gz", ODIN("ssz7qxfqae0cca5/iSUN.tar.gz"), 0,
         NULL, "be77b0f2c26fda898afac5f99645ee70", "iSUN", {"iSUN_patches"}}}},
    {"tiny_imagenet_200", "as ImageNet: non-commercial research", { /* the whole set, 64x64 */
        {"tiny-imagenet-200.zip", {"http://cs231n.stanford.edu/tiny-imagenet-200.zip"}, 248100043,
         "6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821", NULL, "tiny-imagenet-200",
         {"train", "val", "test"}}}},
    {"dtd", "for research", {
        {"dtd-r1.0.1.tar.gz", {"https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz"}, 625239812,
         "e42855a52a4950a3b59612834602aa253914755c95b0cff9ead6d07395f8e205", NULL, "dtd", {"images", "labels"}}}},
};
/* clang-format on */

enum { SETS = sizeof catalogue / sizeof *catalogue };

int dn_fetch_count(void)
{
    return SETS;
}

const dn_fetch_set *dn_fetch_get(int index)
{
    return &catalogue[index];
}

dn_status dn_fetch_find(const dn_fetch_set **out, const char *name)
{
    const char *names[SETS];
    char list[512] = "";
    for (int i = 0; i < SETS; i++) {
        names[i] = catalogue[i].name;
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
        if (strcmp(names[i], name) != 0) continue;
        *out = &catalogue[i];
        return DN_OK;
    }
    const char *near = dn_nearest(name, names, SETS);
    return dn_fail(DN_ERROR_ARGUMENT, "'%s' cannot be fetched%s%s%s; there are: %s", name,
                   near ? "; the nearest is '" : "", near ? near : "", near ? "'" : "", list);
}
