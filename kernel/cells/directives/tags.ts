/** Tags of documentation comments (JSDoc, TSDoc, TypeDoc, and tslab's own), which are never misspelt directives. */
export const JSDOC_TAGS: ReadonlySet<string> = new Set(
  `abstract access alias alpha arg argument async augments author beta borrows browser callback category class
   classdesc const constant constructor constructs copyright decorator default defaultValue deprecated desc
   description emits enum event eventProperty example exception experimental exports extends external file
   fileoverview fires func function generator global group hidden hideconstructor host ignore implements import
   inheritDoc inheritdoc inner instance interface internal jsx kind label lends license listens member memberof
   method mixes mixin module name namespace node override overload overview packageDocumentation param
   parameter private privateRemarks prop property protected public readonly remarks requires return returns
   satisfies sealed see since static summary template this throws todo ts-check ts-ignore ts-nocheck tutorial
   type typedef typeParam typeparam var variation version virtual yield yields`.split(/\s+/),
);
