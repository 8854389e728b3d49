//! Motion shared by the controllers: look-ahead planning, trapezoids, arcs.
