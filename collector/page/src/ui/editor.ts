// The SQL editor. Loaded when it is first needed. It lives in a shadow tree, whose style sheets are made by script
// without inline styles, which the page's policy forbids.
import { autocompletion, closeBrackets, closeBracketsKeymap, type CompletionContext, type CompletionResult, completionKeymap, completionStatus, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { SQLDialect, sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, type Extension, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { FUNCTIONS, type Known } from "../lib/schema";

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  /** What is selected at first. */
  from: number;
  to: number;
  label: string;
  hint: string;
  isOneLine: boolean;
  onChange: (text: string) => void;
  onSubmit: () => void;
}

export interface Editor {
  getText: () => string;
  setText: (text: string) => void;
  setSchema: (known: Known) => void;
  setError: (position: number | null) => void;
  focus: () => void;
  destroy: () => void;
}

const KEYWORDS = `select from where and or not in like ilike between is null as distinct group by order having limit offset
asc desc with union all join left right inner full cross on using case when then else end interval second minute hour day
week month year format array final sample qualify over partition rows range preceding following unbounded current row
rollup cube totals any semi anti asof global describe show tables true false`;

const CLICKHOUSE = SQLDialect.define({
  keywords: KEYWORDS,
  builtin: FUNCTIONS.join(" ").toLowerCase(),
  types: "string float64 float32 int64 int32 uint64 uint32 uint8 date datetime datetime64 array map tuple nullable bool",
  backslashEscapes: true,
  operatorChars: "*+-%<>!=&|~^/?:",
  identifierQuotes: '`"',
  caseInsensitiveIdentifiers: false,
});

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.standard(tags.name), tags.typeName], color: "var(--code-function)" },
  { tag: tags.comment, color: "var(--text-3)" },
]);

const LOOK = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "transparent", fontSize: "12.5px", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--text)", padding: "6px 0" },
  ".cm-line": { padding: "0 8px" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--text-3)", border: "none" },
  ".cm-placeholder": { color: "var(--text-3)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, ::selection": { background: "var(--accent-soft)" },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-soft) !important", outline: "none" },
  ".cm-error-at": { textDecoration: "underline wavy var(--bad) 1.5px", textUnderlineOffset: "3px" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line-2)", borderRadius: "7px", boxShadow: "var(--shadow)", color: "var(--text)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "12px", maxHeight: "260px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent)", color: "#fff" },
  ".cm-completionDetail": { color: "inherit", opacity: "0.65", fontStyle: "normal", marginLeft: "1em" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "600" },
  ".cm-completionIcon": { display: "none" },
});

const setErrorAt = StateEffect.define<number | null>();

const errorMark = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, change) {
    for (const effect of change.effects) if (effect.is(setErrorAt)) return markAt(effect.value, change.state);
    return change.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function markAt(position: number | null, state: EditorState): DecorationSet {
  if (position === null || state.doc.length === 0) return Decoration.none;
  const from = Math.min(position, state.doc.length - 1);
  const word = state.wordAt(from);
  return Decoration.set(Decoration.mark({ class: "cm-error-at" }).range(word?.from ?? from, word?.to ?? from + 1));
}

export function createEditor(options: EditorOptions): Editor {
  const root = options.parent.shadowRoot ?? options.parent.attachShadow({ mode: "open", delegatesFocus: true });
  const language = new Compartment();
  let known: Known = { relations: {}, keys: [] };
  const submit = () => (options.onSubmit(), true);
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      selection: { anchor: options.from, head: options.to },
      extensions: [
        keymap.of([{ key: "Mod-Enter", run: submit }]),
        options.isOneLine ? oneLine(submit) : [lineNumbers()],
        history(),
        overSelection,
        closeBrackets(),
        bracketMatching(),
        autocompletion({ icons: false, activateOnTyping: true, maxRenderedOptions: 60 }),
        keymap.of([...completionKeymap, ...closeBracketsKeymap, ...historyKeymap, ...defaultKeymap]),
        language.of(languageOf(known, options.isOneLine)),
        CLICKHOUSE.language.data.of({ autocomplete: (context: CompletionContext) => completeNames(context, known) }),
        syntaxHighlighting(COLOURS),
        LOOK,
        errorMark,
        placeholder(options.hint),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": options.label, spellcheck: "false" }),
        EditorView.updateListener.of((update) => void (update.docChanged && options.onChange(update.state.doc.toString()))),
      ],
    }),
  });
  return {
    getText: () => view.state.doc.toString(),
    setText: (text) => {
      if (text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    setSchema: (next) => {
      known = next;
      view.dispatch({ effects: language.reconfigure(languageOf(next, options.isOneLine)) });
    },
    setError: (position) => view.dispatch({ effects: setErrorAt.of(position) }),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

function languageOf(known: Known, isFilter: boolean): Extension {
  const schema = Object.fromEntries(Object.entries(known.relations).map(([name, columns]) => [name, columns.map(({ name: label, type }) => ({ label, type: "property", detail: type.replace(/LowCardinality\((\w+)\)/g, "$1") }))]));
  return sql({ dialect: CLICKHOUSE, schema, upperCaseKeywords: true, ...(isFilter ? { defaultTable: "logs" } : {}) });
}

/** Typed over a selection, Chromium puts the old text's look into an inline style, which the policy forbids. */
const overSelection = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { data, inputType, isComposing } = event;
    // Brackets and quotes go around what is selected.
    const isPlain = inputType === "insertText" && data !== null && !isComposing && !/['"([{]/.test(data);
    if (!isPlain || view.state.selection.main.empty) return false;
    view.dispatch(view.state.replaceSelection(data), { userEvent: "input.type", scrollIntoView: true });
    event.preventDefault();
    return true;
  },
});

/** Enter sends, and a pasted line break becomes a space. */
function oneLine(submit: () => boolean): Extension {
  return [
    EditorState.transactionFilter.of((change) => (change.newDoc.lines > 1 ? [change, { changes: { from: 0, to: change.newDoc.length, insert: change.newDoc.toString().replace(/\s*\n\s*/g, " ") }, sequential: true }] : change)),
    keymap.of([
      { key: "Enter", run: (view) => (completionStatus(view.state) === "active" ? false : submit()) },
      { key: "ArrowDown", run: (view) => completionStatus(view.state) === null && startCompletion(view) },
    ]),
  ];
}

/** Functions, columns wherever they stand, and the keys of maps. */
function completeNames(context: CompletionContext, known: Known): CompletionResult | null {
  const word = context.matchBefore(/[\w.]+(\['?[\w.-]*)?/);
  if (!word && !context.explicit) return null;
  const columns = Object.values(known.relations).flat();
  const names = new Map(columns.map(({ name, type }) => [name, type]));
  return {
    from: word?.from ?? context.pos,
    options: [
      ...known.keys.map((label) => ({ label, type: "property", boost: 2 })),
      ...[...names].map(([label, detail]) => ({ label, type: "property", detail, boost: 1 })),
      ...FUNCTIONS.map((label) => ({ label, apply: `${label}(`, type: "function", detail: "function" })),
    ],
    validFor: /^[\w.]+(\['?[\w.-]*)?$/,
  };
}
