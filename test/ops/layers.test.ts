import { checkFile } from './structured';
import { rows } from './table/layers';

checkFile('layers', rows);
