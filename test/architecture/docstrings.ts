// Reads the declarations of a file of the library with the docstrings before them, and says what these lack.

/** The text of one docstring. */
const DOCSTRING = String.raw`\/\*\*(?:(?!\*\/)[\s\S])*\*\/`;
const IGNORED = String.raw`(?:[ ]*\/\/ biome-ignore.*\n)*`;
const DECLARATION = new RegExp(
  String.raw`^(?:(${DOCSTRING})\n)?${IGNORED}export (?:declare )?(?:abstract )?(class|function|const) (\w+)(.*)`,
  'gm',
);
const METHOD = new RegExp(
  String.raw`^(?:  (${DOCSTRING})\n)?${IGNORED}  ((?:(?:static|get|set|async|override|private|protected|abstract) )*)(constructor|\*?\[?[\w.]+\]?)(?:<[^\n(]*>)?\((\)?)`,
  'gm',
);
/** What makes a constant something to call: an op row, a type, a layer. */
const ROW = /(?:\bop|[Oo]p|unary|binary|conversion|new DType)\(/;

interface Parameter {
  name: string;
  optional: boolean;
}

/** Splits at commas that no bracket holds. */
function splitList(text: string): string[] {
  const parts = [''];
  let depth = 0;
  // An arrow is no bracket.
  for (const c of text.replaceAll('=>', '  ')) {
    if ('([{<'.includes(c)) depth++;
    if (')]}>'.includes(c)) depth--;
    if (c === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
/** The text between the bracket after a name, and what types it takes, and the one that closes it. */
function bracketed(text: string): string {
  let open = text.indexOf('(');
  let types = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '<') types++;
    if (text[i] === '>' && text[i - 1] !== '=') types--;
    if (text[i] === '(' && types === 0) {
      open = i;
      break;
    }
  }
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if ('([{'.includes(text[i]!)) depth++;
    if (')]}'.includes(text[i]!) && --depth === 0) return text.slice(open + 1, i);
  }
  return '';
}
/** `'sum(Tensor input, int[]? dim=None)'`: the parameters of an op row; null if it has no signature of its own. */
function signatureOf(body: string): Parameter[] | null {
  const [, list] = /'[\w.]+\((.*)\)'/.exec(body) ?? /`[^`(]*\((.*)\)`/.exec(body) ?? [];
  if (list === undefined) return null;
  return (
    splitList(list)
      // `*` stands between parameters; a list that several rows share has docstrings where it is written.
      .filter((part) => part !== '*' && !part.startsWith('$'))
      .map((part) => {
        const [typed = '', value] = part.split('=');
        return { name: typed.trim().split(/\s+/).at(-1)!, optional: value !== undefined };
      })
  );
}
function parametersOf(text: string): Parameter[] {
  return splitList(bracketed(text).replace(/\/\/.*\n/g, '')).flatMap((part) => {
    const [, name, mark] = /^(?:\.\.\.)?(\w+)(\?)?/.exec(part) ?? [];
    if (name === undefined || name === 'this' || name.startsWith('_')) return [];
    return [{ name, optional: mark !== undefined || /=[^>]/.test(part) }];
  });
}

/** What the docstring of something that is called does not say. */
function lacks(doc: string, parameters: readonly Parameter[], returns: boolean, throws: boolean): string[] {
  const lack = parameters.flatMap(({ name, optional }) => {
    const [, said] = new RegExp(`@param ${name}\\b([\\s\\S]*?)(?=@param|@returns|@throws|\\*/)`).exec(doc) ?? [];
    if (said === undefined) return [`@param ${name}`];
    return optional && !/default|optional|null|none/i.test(said) ? [`the default of ${name}`] : [];
  });
  if (returns && !/@returns/.test(doc)) lack.push('@returns');
  if (throws && !/@throws/.test(doc)) lack.push('@throws');
  return lack;
}

/** Methods of a class that say nothing, and a constructor whose arguments nobody explains. */
function lacksOfClass(doc: string, body: string): string[] {
  const seen = new Set<string>();
  return [...body.matchAll(METHOD)].flatMap(([, own, modifiers = '', name = '', closed]) => {
    if (/private|protected|override/.test(modifiers) || /^(_|if$|for$|while$|switch$|return$|super$)/.test(name))
      return [];
    if (seen.has(name)) return [];
    seen.add(name);
    if (name === 'constructor') {
      return closed === '' && own === undefined && !/@param/.test(doc) ? ['@param of the constructor'] : [];
    }
    return own === undefined && name !== 'forward' ? [`a docstring of ${name}`] : [];
  });
}

/**
 * @param text a file of the library
 * @param isPublic whether a function or class of this name is handed to users
 * @returns `name: what is missing` for each declaration that users meet without being told
 */
export function undocumented(text: string, isPublic: (name: string) => boolean): string[] {
  const overloads = new Set<string>();
  return [...text.matchAll(DECLARATION)].flatMap((match) => {
    const [, doc, kind, name = '', line = ''] = match;
    // Further overloads, and what implements them, share the docstring of the first.
    if (overloads.has(name) || (kind === 'const' && !ROW.test(line))) return [];
    overloads.add(name);
    if (doc === undefined) return [`${name}: a docstring`];
    if (doc.includes('@internal')) return [];
    const rest = text.slice(match.index + match[0].length - line.length);
    const end = rest.search(kind === 'class' ? /\n}/ : /\n(?=export |\/\*\*|function |const |class )/);
    const body = end < 0 ? rest : rest.slice(0, end);
    const throws = /throw new/.test(body);
    let lack: string[];
    if (kind === 'class') lack = isPublic(name) ? lacksOfClass(doc, body) : [];
    else if (kind === 'function') {
      const nothing = /\)\s*: (void|asserts)\b/.test(body) || !/\): /.test(body);
      lack = isPublic(name) ? lacks(doc, parametersOf(body), !nothing, throws) : [];
    } else {
      const parameters = signatureOf(body.slice(0, 700));
      // What one tensor becomes, elementwise, is said in the one line.
      if (parameters === null) return [];
      const several = parameters.length > 1;
      lack = lacks(doc, several ? parameters : [], several && !/\)\s*: void/.test(body.slice(0, 900)), throws);
    }
    return lack.length === 0 ? [] : [`${name}: ${lack.join(', ')}`];
  });
}
