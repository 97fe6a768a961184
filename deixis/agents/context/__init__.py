"""What agents work in: the state, the toolbox, the options of a graph."""
