// What types there are to choose from.

/** {name, fine_types} of each type: those of the schema, then others that the extraction uses. */
export function typesOf(sheet) {
  const known = (sheet.schema?.types ?? []).map(({ name, fine_types: fine = [] }) => ({ name, fine_types: fine }));
  const { types = [], entities } = sheet.extraction;
  for (const name of [...types, ...entities.map((each) => each.type)])
    if (!known.some((each) => each.name === name)) known.push({ name, fine_types: [] });
  return known;
}

/** The names of relations or events, of the schema and of the extraction. */
export function linksOf(sheet, what) {
  const named = (sheet.schema?.[what] ?? []).map((each) => each.name ?? each);
  return [...new Set([...named, ...(sheet.extraction[what] ?? []).map((each) => each.type)])];
}
