// Whether a file is whole: everything in it is read, nothing is kept.
import { type ByteSource, type FileLike, forEachChunk, openSource } from './bytes.js';
import { inflate } from './inflate.js';
import { type FileListing, inspectFile } from './inspect.js';
import { fileKind, named } from './load.js';
import { STORED, ZipReader } from './zip_reader.js';

/** What `verifyFile` has looked at. */
export interface FileReport extends Pick<FileListing, 'format' | 'size' | 'bytes'> {
  /** How many tensors the file holds. */
  tensors: number;
  /** How many checksums were compared; formats other than zip archives carry none. */
  checksums: number;
}

/** Reads all entries of an archive; returns how many checksums were compared. */
async function readArchive(source: ByteSource): Promise<number> {
  const zip = new ZipReader(source);
  for (const entry of zip.entries.values()) {
    if (entry.method === STORED) zip.verify(entry);
    else for await (const _ of inflate(zip, entry));
  }
  return zip.checked ? zip.entries.size : 0;
}

/**
 * Reads a file from end to end and checks all that its format allows to check: the structure, that every tensor lies within its
 * storage and every storage within the file, and in zip archives (`torch.save`, .npz) the checksums. Nothing in the file is run,
 * and no more than a few pieces of it are in memory.
 * @param file a path, a file URL or the bytes of a file
 * @returns a promise of what was checked: `format`, `size`, `bytes` of tensors, the number of `tensors` and of `checksums`
 *   compared. It rejects with RuntimeError for a file that is damaged or of no known format, and with Node's own error if it
 *   cannot be read
 */
export async function verifyFile(file: FileLike): Promise<FileReport> {
  const { format, size, tensors, bytes } = inspectFile(file);
  const source = openSource(file, 'verifyFile()');
  try {
    let checksums = 0;
    if (fileKind(source) === 'zip') checksums = await readArchive(source);
    // A disk that cannot give the bytes back shows only when they are asked for.
    else forEachChunk(source, 0, source.size, () => {});
    return { format, size, tensors: tensors.length, bytes, checksums };
  } catch (error) {
    throw named(error, source);
  } finally {
    source.close();
  }
}
