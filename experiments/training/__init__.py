"""What the experiments share: data sets, networks and how they are trained, saved runs."""
