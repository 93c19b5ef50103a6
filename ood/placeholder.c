typedef int dn_placeholder_ood;
