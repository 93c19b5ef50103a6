typedef int dn_placeholder_optim;
