// A judge of proofs, made of @transmute/rfc9162. One question a line, one answer a line: 1 it holds, 0 it does not.
//
//   I index size leafhash root hash...     C size1 size2 root1 root2 hash...     R vkey json (base64)
//
// It knows no signed notes: of a receipt it judges leaf, index, path, size and root. Where the first tree is a complete
// one, RFC 9162 section 2.1.4.2 puts its root before the path; this library leaves that to its caller.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { createHash } from 'node:crypto';

const { RFC9162 } = await import(pathToFileURL(join(process.argv[2], 'dist', 'index.js')));
const hash = (word) => {
  if (!/^[0-9a-f]{64}$/.test(word)) throw new Error('not a hash');
  return new Uint8Array(Buffer.from(word, 'hex'));
};
const whole = (word) => {
  if (!/^(0|[1-9][0-9]*)$/.test(String(word))) throw new Error('not a number');
  return Number(word);
};
const included = (index, size, leaf, root, path) => RFC9162.verifyInclusionProof(root, leaf, {
  log_id: '', tree_size: size, leaf_index: index, inclusion_path: path,
});

async function judge(words) {
  if (words[0] === 'I') {
    const [leaf, root, ...path] = words.slice(3).map(hash);
    return included(whole(words[1]), whole(words[2]), leaf, root, path);
  }
  if (words[0] === 'C') {
    const [first, second] = [whole(words[1]), whole(words[2])];
    const [root1, root2, ...path] = words.slice(3).map(hash);
    const complete = (first & (first - 1)) === 0;
    return RFC9162.verifyConsistencyProof(root1, root2, {
      log_id: '', tree_size_1: first, tree_size_2: second, consistency_path: complete ? [root1, ...path] : path,
    });
  }
  const given = JSON.parse(Buffer.from(words[2], 'base64').toString());
  const [, size, root] = given.checkpoint.split('\n');
  const leaf = createHash('sha256').update(Buffer.concat([Buffer.from([0]), Buffer.from(given.leaf, 'base64')])).digest('hex');
  const path = given.path.map((node) => hash(Buffer.from(node, 'base64').toString('hex')));
  return included(whole(given.index), whole(size), hash(leaf), hash(Buffer.from(root, 'base64').toString('hex')), path);
}

for await (const line of createInterface({ input: process.stdin })) {
  let holds = false;
  try { holds = await judge(line.split(' ')); } catch { holds = false; }
  process.stdout.write(holds ? '1\n' : '0\n');
}
