"""Scores of predictions against gold: one file per question.

`tasks` says what is compared and `convention` what counts as equal; `mentions` brings rows into
that form, `overlap` and `matching` pair them, `tables` adds up, `chance` says what luck could
do, `scoring` puts it together. `mmre` and the modules `muie_...` score tasks of another shape.
"""
