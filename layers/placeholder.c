typedef int dn_placeholder_layers;
