typedef int dn_placeholder_datasets;
