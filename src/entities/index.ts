/** Every table that is worked on as rows of a class. Hot paths use SQL through `Database` instead. */
export const entities = [] as const;
